"""Make the visits of the clinic's third chapter: ``python examples/clinic/data/visits.py``.

A visit has a note (English or Chinese), vital signs over about half an hour, and what the register knows of the
patient. How soon somebody should look at the patient hangs on all three together: a note can sound mild while the signs
get worse, and the same signs mean more in somebody old and chronically ill. Everything is made up by this program.
"""

import json
import random
from datetime import date, timedelta
from pathlib import Path

NOTES = {
    "en": (
        (
            "Just here for the yearly check.",
            "Refill of the usual tablets, please.",
            "The rash is fading, nothing else.",
        ),
        ("Some headache since the morning.", "Cough for three days, sleeps badly.", "A bit dizzy when standing up."),
        ("Chest feels tight on the stairs.", "Vomiting since the night.", "Fever does not go down with tablets."),
        ("Cannot catch my breath.", "Crushing pain in the chest.", "Confused since this morning, says the daughter."),
    ),
    "zh": (
        ("来做每年一次的体检。", "想续开平时吃的药。", "皮疹在消退，没有别的不舒服。"),
        ("早上开始有点头痛。", "咳嗽三天了，睡不好。", "站起来时有点头晕。"),
        ("爬楼梯时胸口发紧。", "昨晚开始一直呕吐。", "吃了药烧还是不退。"),
        ("喘不上气。", "胸口压榨一样痛。", "女儿说他今天早上开始糊涂了。"),
    ),
}
"""By how bad they sound."""
LABELS = ("routine", "soon", "now")
MISSING = 0.12
"""How often a visit lacks its vital signs, and how often its note."""


def vitals(bad: int, draw: random.Random) -> dict:
    """Pulse, oxygen and temperature at uneven minutes; ``bad``: 0 steady, 1 off, 2 getting worse."""
    clock, times, values = 0.0, [], []
    pulse, oxygen, heat = draw.gauss(74, 6) + 8 * bad, draw.gauss(97.5, 0.6) - bad, draw.gauss(36.7, 0.2) + 0.3 * bad
    while clock < 1800:
        worse = clock / 1800 if bad == 2 else 0.0
        read = (pulse + 28 * worse + draw.gauss(0, 3), oxygen - 5 * worse + draw.gauss(0, 0.4), heat + 0.7 * worse)
        now = [round(read[0]), round(min(read[1], 100), 1), round(read[2] + draw.gauss(0, 0.05), 1)]
        times.append(round(clock))
        values.append([None if draw.random() < 0.05 else each for each in now])
        clock += draw.uniform(60, 180)
    return {"time": times, "values": values}


def visit(number: int, draw: random.Random) -> dict:
    """One row."""
    language = draw.choice(sorted(NOTES))
    sounds, bad = draw.choices(range(4), (4, 4, 3, 2))[0], draw.choices(range(3), (5, 3, 3))[0]
    age, chronic = draw.randint(18, 92), draw.random() < 0.35
    need = sounds + 1.5 * bad + (age > 70) + chronic
    last = date(2026, 1, 1) - timedelta(days=draw.randint(3, 900))
    row = {"id": f"visit-{number:04}", "text": draw.choice(NOTES[language][sounds]), "vitals": vitals(bad, draw)}
    row |= {"age": age, "ward": draw.choice(("east", "west", "north")), "chronic": "yes" if chronic else "no"}
    row |= {"last_visit": last.isoformat(), "label": LABELS[(need >= 2.5) + (need >= 5)]}
    for key in ("vitals", "text"):
        if draw.random() < MISSING:
            row[key] = None
            break
    return row


def main() -> None:
    """Write the two files beside this program."""
    draw = random.Random(20260101)
    rows = [visit(number, draw) for number in range(1, 421)]
    for name, part in (("train", rows[:300]), ("test", rows[300:])):
        file = Path(__file__).with_name(f"visits.{name}.jsonl")
        file.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in part), encoding="utf-8")


if __name__ == "__main__":
    main()
