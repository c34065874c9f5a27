"""What a proof found, in plain sentences."""

from dataclasses import dataclass, field

FINDINGS_MAX = 100


@dataclass(slots=True)
class Findings:
    """Plain sentences, each naming ids. Only the first hundred are kept; the rest is counted."""

    sentences: list[str] = field(default_factory=list)
    count: int = 0

    def add(self, sentence: str) -> None:
        """Keep one more finding, or count it."""
        self.count += 1
        if self.count <= FINDINGS_MAX:
            self.sentences.append(sentence)

    def texts(self) -> list[str]:
        """The sentences, and how many more there are."""
        more = self.count - len(self.sentences)
        return self.sentences + ([f"And {more} more."] if more else [])
