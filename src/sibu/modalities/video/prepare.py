"""Videos to pictures of one size, and frames of the sound's spectrogram."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from sibu.core.columns import Column
from sibu.core.errors import DataError
from sibu.core.protocols import Features, Found
from sibu.core.text import Feature
from sibu.media.sound import Sound
from sibu.media.video import Video, read_video
from sibu.modalities.audio.prepare import FIGURES, HOP, STRIDE, AudioPreparer
from sibu.modalities.image.prepare import ImagePreparer
from sibu.store.hashes import hash_json

if TYPE_CHECKING:
    from sibu.modalities.video.encoder import VideoEncoder

LOOKED_AT = 32
"""Training videos that colours and bands are taken from: the first that can be read."""


class VideoPreparer:
    """See the door plate ``sibu.modalities.video`` for the options.

    A value is the name of a file or of a folder of pictures, a file's bytes, pictures ``(T, H, W, 3)`` in uint8, or a
    ``Video`` of ``sibu.media``.

    Args:
        field: The column.
        pictures: Prepares each picture.
        sound: Prepares the sound; None: it is not read.
        frames: Pictures of a video, at most.
    """

    stride = 1

    def __init__(self, field: str, *, pictures: ImagePreparer, sound: AudioPreparer | None, frames: int) -> None:
        self.field = field
        self.column = Column(field, "file", "input", help="a video's file, or a folder of pictures")
        self.pictures, self.sound, self.frames = pictures, sound, frames

    @property
    def state(self) -> dict[str, Any]:
        """What its parts learned."""
        return {"pictures": self.pictures.state} | ({} if self.sound is None else {"sound": self.sound.state})

    @property
    def features(self) -> tuple[Feature, ...]:
        """Pixels by picture; frames of the sound; how many seconds the video lasts, and the figures of the sound."""
        height, width = self.pictures.size
        pixels = Feature("pixels", "uint8", "token", width=height * width * 3)
        about = Feature("figures", "float32", "window")
        if self.sound is None:
            return pixels, about
        return pixels, Feature("frames", "float16", "token", width=self.sound.mels), about

    @property
    def key(self) -> str:
        """What the arrays depend on."""
        return hash_json(["video", 1, self.frames, self.pictures.key, None if self.sound is None else self.sound.key])

    def cost(self, arrays: Features) -> int:
        """How many places its encoder computes, those of the pictures included."""
        height, width = self.pictures.size
        pictures = np.asarray(arrays["pixels"]).size // (height * width * 3)
        frames = 0 if self.sound is None else np.asarray(arrays["frames"]).size // self.sound.mels
        return int(pictures * self.pictures.places + frames // STRIDE)

    def learn(self, values: Iterable[Any]) -> None:
        """Colours of the pictures and bands of the sound; nothing of what is pretrained."""
        seen: list[np.ndarray] = []
        heard: list[Sound] = []
        for video in islice(self._readable(values), LOOKED_AT):
            seen.append(video.pictures[len(video.pictures) // 2])
            if video.sound is not None:
                heard.append(video.sound)
        self.pictures.learn(iter(seen))
        if self.sound is not None:
            self.sound.learn(iter(heard))

    def _readable(self, values: Iterable[Any]) -> Iterator[Video]:
        for value in values:
            try:
                yield self._video(value, sized=False)
            except DataError:
                continue  # told of when its arrays are made

    def _video(self, value: Any, *, sized: bool = True) -> Video:
        if isinstance(value, Video):
            return value
        if isinstance(value, np.ndarray):
            return _given(value)
        if not isinstance(value, str | bytes | Path):
            raise DataError(
                f"A video is a file, a folder of pictures, or pixels (T, H, W, 3); given {type(value).__name__}."
            )
        # What is cropped more than to the ratio is brought to the size by the preparer of pictures.
        sized = sized and self.pictures.share == 1
        return read_video(
            value,
            frames=self.frames,
            sound_rate=None if self.sound is None else self.sound.rate,
            size=self.pictures.size if sized else None,
            fit=self.pictures.fit,
            most=self.pictures.most_pixels,
        )

    def arrays(self, value: Any) -> Features:
        """The pictures' pixels in one row, the sound's frames in another."""
        video = self._video(value)
        chosen = video.pictures
        if len(chosen) > self.frames:
            chosen = chosen[((np.arange(self.frames) + 0.5) * len(chosen) / self.frames).astype(int)]
        pixels = np.concatenate([self.pictures.arrays(each)["pixels"] for each in chosen])
        found = {"pixels": pixels, "figures": np.zeros(1 + len(FIGURES), np.float32)}
        found["figures"][0] = video.seconds
        if self.sound is None:
            return found
        found["frames"] = np.zeros(0, np.float16)
        if video.sound is not None and len(video.sound.samples):
            own = self.sound.arrays(video.sound)
            found["frames"], found["figures"][1:] = own["frames"], own["figures"]
        return found

    def check(self, value: Any, arrays: Features) -> Iterator[Found]:
        """A video whose pictures are all of one colour, or all the same; what the sound has."""
        height, width = self.pictures.size
        pixels = np.asarray(arrays["pixels"]).reshape(-1, height * width * 3)
        if all(any(True for _ in self.pictures.check(value, {"pixels": each})) for each in pixels):
            message = "each picture of the video shows one colour alone: nothing can be told from them."
            yield "blank video", "warning", message, "Look whether the file is the right one."
        elif len(pixels) > 1 and (pixels == pixels[0]).all():
            yield "still video", "warning", "all pictures of the video are the same.", "Is it a picture? Use `image`."
        if self.sound is not None and len(arrays["frames"]):
            yield from self.sound.check(value, {"figures": arrays["figures"][1:]})

    def noised(self, arrays: Features, draw: np.random.Generator) -> Features:
        """Each picture, and the sound, with noise of its own strength."""
        height, width = self.pictures.size
        pixels = np.asarray(arrays["pixels"]).reshape(-1, height * width * 3)
        noisy = [self.pictures.noised({"pixels": each}, draw)["pixels"] for each in pixels]
        found = {**arrays, "pixels": np.concatenate(noisy)}
        if self.sound is not None and len(arrays["frames"]):
            found["frames"] = self.sound.noised({"frames": arrays["frames"]}, draw)["frames"]
        return found

    def encoder(self) -> VideoEncoder:
        """The encoder of both."""
        from sibu.modalities.video.encoder import VideoEncoder

        sound: Any = None if self.sound is None else self.sound.encoder()
        return VideoEncoder(self.pictures.encoder(), sound, frames=self.frames, stretch=HOP * STRIDE)


def _given(pictures: np.ndarray) -> Video:
    """Pictures as a video, one a second."""
    if pictures.dtype != np.uint8 or pictures.ndim != 4 or pictures.shape[3] != 3 or not pictures.size:
        given = f"{pictures.dtype} of shape {pictures.shape}"
        raise DataError(f"Pixels of a video must be uint8, (T, H, W, 3); given {given}.")
    return Video(pictures, np.arange(len(pictures), dtype=float), float(len(pictures)), None)
