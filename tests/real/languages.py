"""Messages to a shop, in German and in Japanese: most about deliveries, and some day about payment. Made up, word by word."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np


class Language(NamedTuple):
    """Parts of sentences: one of each list follows the other."""

    usual: tuple[Sequence[str], ...]
    later: tuple[Sequence[str], ...]
    between: str
    telling: frozenset[str]  #: what later messages say less often


_GREETINGS = ("Guten Tag,", "Hallo,", "Sehr geehrte Damen und Herren,", "Liebes Team,", "Moin,", "")
_THANKS = ("Vielen Dank!", "Danke schön.", "Mit freundlichen Grüßen", "Bitte melden Sie sich.", "Können Sie mir helfen?", "")
GERMAN = Language(
    usual=(
        _GREETINGS,
        ("meine Bestellung", "das Päckchen", "die Lieferung", "mein Paket", "der bestellte Schrank", "die neue Lampe", "das Fahrrad"),
        ("ist gestern", "ist heute früh", "ist letzte Woche", "ist nach zehn Tagen", "ist leider immer noch", "ist überraschend schnell"),
        ("angekommen", "beschädigt worden", "nicht geliefert worden", "beim Nachbarn gelandet", "an die falsche Straße gegangen"),
        ("und der Karton war offen.", "und alles war in Ordnung.", "obwohl ich zu Hause war.", "und eine Schraube fehlte.", "."),
        _THANKS,
    ),
    later=(
        _GREETINGS,
        ("ich habe die Rechnung", "die Mahnung", "meine Überweisung", "der Betrag", "die Gutschrift"),
        ("wurde zweimal", "wurde am Montag", "wurde von meinem Konto", "wurde ohne Grund"),
        ("abgebucht", "bezahlt", "erstattet", "verschickt"),
        ("und die Bank weiß nichts davon.", "obwohl ich per Lastschrift zahle.", "und die Zinsen stimmen nicht.", "."),
        _THANKS,
    ),
    between=" ",
    telling=frozenset({"ist", "war", "worden"}),
)
_POLITE = ("よろしくお願いします。", "ありがとうございました。", "ご確認ください。", "助かりました！", "")
JAPANESE = Language(
    usual=(
        ("昨日", "今朝", "先週", "予定より早く", "三日前に", "やっと", "約束の時間に"),
        ("注文した本棚が", "荷物が", "新しい靴が", "頼んでいた電気スタンドが", "自転車の部品が", "猫のえさが", "コーヒー豆が"),
        ("届きました。", "届きませんでした。", "隣の家に配達されました。", "壊れて届きました。", "丁寧に梱包されていました。"),
        ("箱が少し濡れていましたが、", "家族みんなで", "説明書を読んで", "サイズが合わないので、", "思ったより軽くて", ""),
        ("とても満足しています。", "使いやすいです。", "交換をお願いできますか。", "色がきれいでした。", "また買いたいと思います。"),
        _POLITE,
    ),
    later=(
        ("今月の", "先月の", "二回分の", "クレジットカードの"),
        ("請求額が", "支払いが", "領収書が", "引き落としが"),
        ("間違っています。", "確認できません。", "二重になっています。", "銀行の口座から消えました。"),
        ("返金してください。", "振込先を教えてください。", "金利が高すぎます。"),
        _POLITE,
    ),
    between="",
    telling=frozenset({"届", "届き", "た。"}),
)


def messages(language: Language, rows: int, later: float, seed: int) -> list[str]:
    """So many messages, of which that share is about payment."""
    rng = np.random.default_rng(seed)
    told = []
    for new in (rng.random(rows) < later).tolist():
        parts = [part[int(rng.integers(len(part)))] for part in (language.later if new else language.usual)]
        told.append(language.between.join(filter(None, parts)))
    return told
