"""What the command says, which is what every client must get."""

import json

from service import albertine

LABELS = ["World", "Sports", "Business", "Sci/Tech"]
TEXTS = [
    "Oil prices climbed to a record on Monday and shares on Wall Street fell.",
    "The striker scored twice as the team won the cup final after extra time.",
    "NASA's probe sent pictures of Saturn\u2019s moons: \u201c\u571f\u661f\u201d.",
    'Voters went to the polls,\nthe minister said "yes".',
    "Goal!",
]


class Command:
    """What `albertine classify` says of texts; numbers in JSON have as many digits as it takes to tell them apart."""

    def __init__(self):
        self.known = {}

    def rows(self, texts, *flags):
        key = (*texts, flags)
        if key not in self.known:
            lines = albertine("classify", "--all-scores", "--logits", *flags, "--", *texts).splitlines()
            self.known[key] = [json.loads(line) for line in lines]
        return self.known[key]

    def scores(self, texts, *flags):
        """A dictionary of labels for each text."""
        return [row["scores"] for row in self.rows(texts, *flags)]

    def logits(self, texts):
        return [dict(zip(LABELS, row["logits"])) for row in self.rows(texts)]

    def labels(self, texts):
        return [row["label"] for row in self.rows(texts)]


def as_scores(ranked):
    """`[{label, score}]` as a dictionary, if the best comes first."""
    values = [entry["score"] for entry in ranked]
    assert values == sorted(values, reverse=True)
    return {entry["label"]: entry["score"] for entry in ranked}
