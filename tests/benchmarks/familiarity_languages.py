"""Sentences in German and in Japanese on two topics each, in the same frames: only what they are about differs. Made up, word by word."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np


class Topics(NamedTuple):
    """Frames with places for a subject, a property and a time or place; what stands there by topic."""

    frames: Sequence[str]
    known: tuple[Sequence[str], Sequence[str], Sequence[str]]
    new: tuple[Sequence[str], Sequence[str], Sequence[str]]


GERMAN = Topics(
    frames=(
        "{0} ist {2} leider {1}.",
        "Warum ist {0} {2} so {1}?",
        "Ich finde, {0} war {2} ziemlich {1}.",
        "Meine Schwester meint, {0} sei {1}, aber {2} stimmt das nicht.",
        "{2} war {0} noch {1}, inzwischen nicht mehr.",
        "Kann mir jemand sagen, ob {0} {2} wirklich {1} ist?",
        "Nach zwei Wochen ist {0} {1}, besonders {2}.",
        "Wir hatten gehofft, dass {0} {2} weniger {1} sein würde.",
        "Für den Preis ist {0} {2} erstaunlich {1}.",
        "Ehrlich gesagt: {0} und auch {2}, das ist {1}.",
    ),
    known=(
        (
            *("die Waschmaschine", "der Staubsauger", "die Kaffeemaschine", "der Toaster", "das Bügeleisen"),
            *("der Kühlschrank", "der Herd", "die Spülmaschine", "der Mixer", "der Wasserkocher"),
            *("die Mikrowelle", "der Trockner", "der Fernseher", "die Fernbedienung", "das Netzteil"),
            *("der Filter", "die Dichtung", "der Akku", "der Schlauch", "das Display", "die Bedienungsanleitung"),
            "der Stecker",
        ),
        (
            *("undicht", "laut", "defekt", "schwer zu reinigen", "langsam", "verkalkt", "überhitzt", "verkratzt"),
            *("leise", "sparsam", "energiehungrig", "handlich", "wackelig", "schlecht verarbeitet"),
            *("gut isoliert", "rostig", "stromlos", "leicht zu bedienen"),
        ),
        (
            *("beim Schleudern", "in der Küche", "nach dem Einschalten", "beim Aufheizen", "im Keller"),
            *("beim Entkalken", "auf der Arbeitsplatte", "im Dauerbetrieb", "bei niedriger Stufe"),
            *("nach dem Filterwechsel", "beim Laden", "im Standby", "an der Steckdose"),
        ),
    ),
    new=(
        (
            *("das Hotel", "der Strand", "die Fähre", "das Frühstück", "die Altstadt", "der Flug"),
            *("der Reiseleiter", "das Doppelzimmer", "die Ferienwohnung", "der Campingplatz", "die Seilbahn"),
            *("das Museum", "der Stadtrundgang", "die Bucht", "der Bergsee", "die Insel", "der Mietwagen"),
            *("die Unterkunft", "der Wanderweg", "das Gepäck", "die Rezeption", "der Flughafen"),
        ),
        (
            *("überfüllt", "malerisch", "verspätet", "ausgebucht", "windig", "gastfreundlich", "abgelegen"),
            *("sonnig", "touristisch", "steil", "verschneit", "unfreundlich", "sehenswert", "gut ausgeschildert"),
            *("familienfreundlich", "geschlossen", "herrlich gelegen"),
        ),
        (
            *("im Hochsommer", "am Hafen", "bei der Anreise", "in der Nebensaison", "an der Küste"),
            *("auf dem Gipfel", "während der Rundreise", "im Speisesaal", "bei Sonnenuntergang", "am Bahnhof"),
            *("in den Osterferien", "bei der Abreise", "am Wochenende"),
        ),
    ),
)
JAPANESE = Topics(
    frames=(
        "{2}、{0}はとても{1}です。",
        "{0}が{2}、{1}と思います。",
        "どうして{0}は{2}、こんなに{1}のですか。",
        "妹によると{0}は{1}そうですが、{2}、違いました。",
        "{2}は{0}がまだ{1}ようでした。",
        "値段のわりに{0}は{1}と感じました、特に{2}。",
        "二週間後、{0}は{2}、{1}ままです。",
        "{0}についてですが、{2}、本当に{1}でしょうか。",
        "正直に言うと、{2}、{0}は{1}と思いました。",
    ),
    known=(
        (
            *("洗濯機", "掃除機", "炊飯器", "電子レンジ", "冷蔵庫", "扇風機", "加湿器", "電気ケトル"),
            *("トースター", "乾燥機", "アイロン", "リモコン", "充電池", "フィルター", "排水ホース", "電源コード"),
            *("取扱説明書", "液晶画面", "食器洗い機", "空気清浄機"),
        ),
        (
            *("うるさい", "壊れやすい", "使いやすい", "静か", "重い", "水漏れしやすい", "省エネ"),
            *("熱くなりやすい", "掃除しにくい", "丈夫", "故障が多い"),
        ),
        (
            *("脱水中に", "台所で使うと", "電源を入れると", "充電しても", "弱運転で", "フィルター交換の後"),
            *("予約機能を使うと", "棚の上に置くと", "修理の後"),
        ),
    ),
    new=(
        (
            *("旅館", "温泉", "海水浴場", "遊覧船", "朝食会場", "城下町", "航空便", "案内係", "民宿", "展望台"),
            *("登山道", "美術館", "紅葉の谷", "湖畔の宿", "観光列車", "空港", "離島", "神社の参道", "夜行バス"),
            "露天風呂",
        ),
        (
            *("混雑している", "絶景", "遅れやすい", "満室", "風が強い", "親切", "遠い", "にぎやか", "景色がいい"),
            *("見ごたえがある", "予約しにくい"),
        ),
        (
            *("夏休みに", "港の近くで", "到着した日に", "連休中は", "夕日の時間に", "山頂で", "雪の朝に"),
            *("帰りの駅で", "家族旅行で"),
        ),
    ),
)


def made(topics: Topics, rows: int, seed: int, *, new: bool = False) -> list[str]:
    """So many different sentences, in any order."""
    rng = np.random.default_rng(seed)
    words = topics.new if new else topics.known
    found: dict[str, None] = {}
    while len(found) < rows:
        frame = topics.frames[int(rng.integers(len(topics.frames)))]
        told = frame.format(*(part[int(rng.integers(len(part)))] for part in words))
        found[told[0].upper() + told[1:]] = None
    return list(found)
