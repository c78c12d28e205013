"""What is known to have happened in 2013, from the data themselves and from the newspapers: the reasons of what is found."""

from datetime import UTC, datetime
from typing import Literal, NamedTuple

from ...schemas.messages.root_cause import Cause
from ..console.causes import ToldIncident
from ..replay.picture import DrawnEpisode, Mark, moment

YEAR = (moment("2013-01-01T05:00Z"), moment("2014-01-01T05:00Z"))
#: When temperatures come in Celsius: a week in which no episode of the temperature is open.
FAULT = ("2013-02-18T05:00Z", "2013-02-25T05:00Z")
INJECTED = Mark(moment(FAULT[0]), moment(FAULT[1]), "INJECTED: temp in Celsius, from Feb 18 to Feb 25")
#: What is told among the events, in its place.
TURNS = (
    (INJECTED.start, "the fault begins: temperatures come in Celsius"),
    (INJECTED.end, "the fault ends: Fahrenheit again; the episode goes on, for spring is no January"),
)


class Annotation(NamedTuple):
    """Something known to have happened: it explains an episode that opened then with one of these signals (none: any)."""

    start: datetime
    end: datetime
    signals: frozenset[str]
    text: str

    def explains(self, episode: DrawnEpisode) -> bool:
        """Whether it may be what the episode saw."""
        names = {signal.name for signal in episode.first.signals} | {signal.name for signal in episode.first.further}
        return self.start <= episode.opened < self.end and (not self.signals or bool(self.signals & names))


def _between(first: str, last: str, text: str, *signals: str) -> Annotation:
    return Annotation(moment(f"2013-{first}T00:00Z"), moment(f"2013-{last}T23:59Z"), frozenset(signals), text)


THE_FAULT = Annotation(INJECTED.start, INJECTED.end, frozenset({"temp"}), "INJECTED on Feb 18: Fahrenheit -> Celsius")
KNOWN = (
    THE_FAULT,
    Annotation(INJECTED.start, INJECTED.end, frozenset({"score", "prediction"}), "what the injected fault does to the model"),
    _between("02-08", "02-10", "blizzard: 51 % and 57 % cancelled on Feb 8 and 9"),
    _between("02-28", "03-10", "a week of lows, 1,002 to 1,010 hPa", "pressure"),
    _between("03-08", "03-10", "a nor'easter: 63 % late on Mar 8", "score", "prediction"),
    _between("03-28", "04-10", "the summer schedule", "departures"),
    _between("04-01", "06-30", "(a January reference meets spring)", "temp", "dewp", "humid", "wind_dir"),
    _between("05-20", "06-30", "summer: three of ten flights are late", "score", "prediction"),
    _between("06-07", "06-09", "tropical storm Andrea"),
    _between("07-01", "08-31", "(summer)", "temp", "dewp", "wind_gust"),
    _between("11-04", "11-06", "a high of 1,039 hPa, January had none above 1,035", "pressure"),
    _between("12-03", "12-06", "fog", "visib"),
    _between("12-22", "12-24", "Christmas: half of the flights are late", "score", "prediction"),
    _between("12-20", "12-30", "the Christmas schedule", "duration"),
    _between("12-31", "12-31", "the weather data end on Dec 30"),
)


def reason(episode: DrawnEpisode) -> str:
    """The first of the known things that explains an episode, else nothing."""
    return next((happened.text for happened in KNOWN if happened.explains(episode)), "")


class Judged(NamedTuple):
    """What a root cause with an onset between these times was in truth, and whether it was rightly told."""

    first: datetime
    last: datetime
    cause: Cause
    features: frozenset[str]  #: one of these is named; none: any
    verdict: Literal["right", "arguable", "wrong"]
    text: str


def _judged(first: str, last: str, cause: Cause, features: str, verdict: Literal["right", "arguable", "wrong"], text: str) -> Judged:
    between = moment(f"2013-{first}T00:00Z"), moment(f"2013-{last}T23:59Z")
    return Judged(*between, cause, frozenset(features.split()), verdict, text)


JUDGED = (
    _judged("02-16", "02-20", "feature_recalibration", "temp", "right", "INJECTED: Fahrenheit -> Celsius"),
    _judged("01-26", "02-01", "data_drift", "dep_delay", "right", "fog and ice from Jan 28 to 31: up to 11 % of a day cancelled"),
    _judged("02-06", "02-10", "data_drift", "dep_delay", "right", "blizzard: 36 % and 70 % of Feb 8 and 9 cancelled"),
    _judged("03-04", "03-10", "data_drift", "dep_delay", "right", "a nor'easter: 14 to 17 % of Mar 6, 7 and 8 cancelled"),
    _judged("02-27", "03-28", "data_drift", "pressure", "right", "weeks of lows, which January had not"),
    _judged("03-22", "04-10", "data_drift", "duration", "right", "spring and summer, and their schedule"),
    _judged("04-16", "05-31", "data_drift", "temp", "right", "spring and summer, and their schedule"),
    _judged("04-08", "07-31", "data_drift", "dep_delay", "right", "thunderstorms: flights cancelled"),
    _judged("12-01", "12-20", "data_drift", "dep_delay", "right", "snow and ice: up to 20 % of a day cancelled"),
    _judged("04-20", "10-20", "data_drift", "wind_dir", "right", "light winds of no direction: 1 % of January, 5 % of warm weeks"),
    _judged("04-08", "04-20", "data_drift", "", "right", "spring, and the summer schedule"),
    _judged("06-08", "08-31", "data_drift", "", "right", "summer"),
    _judged("12-18", "12-31", "data_drift", "duration", "right", "the Christmas schedule"),
    _judged("10-01", "12-31", "data_drift", "", "right", "autumn, and the winter schedule"),
    _judged("05-08", "09-20", "undetermined", "precip", "arguable", "rain as no hour of January had: .32 inches at most"),
    _judged("07-25", "08-15", "feature_unavailability", "wind_dir", "arguable", "light winds, and hours without weather data"),
    _judged("08-16", "08-26", "feature_unavailability", "", "right", "hours without weather data: 6 to 9 % of Aug 19, 22 and 23"),
    _judged("10-20", "11-06", "feature_unavailability", "", "right", "hours without weather data: 5 to 13 % of four days"),
    _judged("01-20", "12-31", "feature_drift", "", "arguable", "bad days of one airport or airline; over in days"),
    _judged("12-29", "12-31", "feature_unavailability", "", "right", "the weather data end on Dec 30"),
)


def judged(incident: ToldIncident) -> Judged | None:
    """The first that it is; None: nothing is known of it."""
    onset, features = datetime.fromtimestamp(incident.last.onset.window[0] / 1000, UTC), set(incident.last.scope.features)
    of_cause = (one for one in JUDGED if one.cause == incident.last.cause)
    return next((one for one in of_cause if one.first <= onset <= one.last and (not one.features or one.features & features)), None)
