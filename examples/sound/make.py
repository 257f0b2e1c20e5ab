"""Make a corpus of sounds and events that were made of some of them: python make.py FOLDER.

    gmv index build FOLDER/corpus.parquet --encoder-id log-spectrogram/1 --out FOLDER/index
    gmv ledger init --log FOLDER/events.jsonl --ledger sqlite:///FOLDER/credits.db
    gmv replay FOLDER/events.jsonl --index FOLDER/index --ledger sqlite:///FOLDER/credits.db

Sounds are made of nothing but numbers, and seen as one vector and 64 spectrogram tokens each. Needs NumPy, SciPy and
PyArrow, and nothing of gmv: to it, features are features.
"""

import base64
import json
import sys
from itertools import pairwise
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from scipy import fft, signal

SOUNDS_OF_AN_OWNER = 30
EVENTS_OF_AN_OWNER = 3

RATE = 8_000  # samples a second
SECONDS = 2.0
ENCODER_ID = "log-spectrogram/1"

FRAMES, BANDS = 16, 40
PARTS = 4  # of the bands; a token is one frame's numbers in one part, with those of the frames beside it
PLACE_WEIGHT = 0.5  # of a token's place in time and pitch, against what is heard there, which has length 1


def pluck(pitch, draw):
    """A plucked string (Karplus and Strong): noise that runs around a loop and loses its high tones."""
    loop = max(2, round(RATE / pitch))
    excited = np.zeros(int(RATE * SECONDS))
    excited[:loop] = draw.uniform(-1, 1, loop)
    feedback = np.zeros(loop + 2)
    feedback[0], feedback[loop], feedback[loop + 1] = 1.0, -0.498, -0.498
    return signal.lfilter([1.0], feedback, excited)


def organ(pitch, draw):
    """Harmonics of fixed strength that do not fade, with a slow beat."""
    time = np.arange(int(RATE * SECONDS)) / RATE
    strengths = draw.uniform(0.2, 1, 6) / np.arange(1, 7)
    tones = [s * np.sin(2 * np.pi * pitch * k * time) for k, s in enumerate(strengths, 1) if pitch * k < RATE / 2]
    return np.sum(tones, axis=0) * (1 + 0.3 * np.sin(2 * np.pi * draw.uniform(3, 7) * time))


def bell(pitch, draw):
    """Partials that are no harmonics, the high ones gone first."""
    time = np.arange(int(RATE * SECONDS)) / RATE
    partials = np.array([0.56, 0.92, 1.19, 1.71, 2.0, 2.74]) * pitch * draw.uniform(0.99, 1.01, 6)
    return np.sum([np.sin(2 * np.pi * p * time) * np.exp(-time * p / 400) for p in partials if p < RATE / 2], axis=0)


def breath(pitch, draw):
    """Noise in a band that glides upwards: a flute without a flute."""
    noise = draw.normal(size=int(RATE * SECONDS))
    pieces = np.array_split(noise, FRAMES)
    for place, piece in enumerate(pieces):
        centre = min(pitch * (1 + 0.05 * place), 0.45 * RATE)
        piece[:] = signal.sosfilt(signal.butter(2, [0.9 * centre, 1.1 * centre], "band", fs=RATE, output="sos"), piece)
    return np.concatenate(pieces)


INSTRUMENTS = {"ada": pluck, "bo": organ, "cy": bell, "dee": breath}
"""Owners by what they play."""


def sound(owner, number):
    """Return an owner's recording: three notes, one after the other. The same for the same number."""
    draw = np.random.default_rng([sorted(INSTRUMENTS).index(owner), number])
    heard = np.zeros(int(RATE * SECONDS))
    for start in np.sort(draw.uniform(0, 0.7, 3)):
        note = INSTRUMENTS[owner](110 * 2 ** draw.uniform(0, 3), draw)
        first = int(start * len(heard))
        heard[first:] += note[: len(heard) - first]
    return heard / np.abs(heard).max()


def features(heard):
    """Return what is seen in a sound.

    The spectrogram's energies, as an ear has them: in bands that are wider for high tones, and by their logarithm.

    Returns:
        float32 [BANDS], the vector, of length 1; float32 [FRAMES x PARTS, 3 x BANDS / PARTS + 2], the tokens.
    """
    length = 2 * len(heard) // (FRAMES + 1)
    framed = np.lib.stride_tricks.sliding_window_view(heard, length)[:: length // 2][:FRAMES]
    power = np.abs(fft.rfft(framed * signal.windows.hann(length), axis=1)) ** 2
    edges = np.geomspace(2, power.shape[1], BANDS + 1).astype(int) + np.arange(BANDS + 1) // BANDS
    bands = np.stack([power[:, low : max(high, low + 1)].mean(1) for low, high in pairwise(edges)], axis=1)
    loud = np.log(bands + 1e-3)
    loud -= loud.mean()
    vector = loud.mean(0)
    beside = np.pad(loud, ((1, 1), (0, 0)), mode="edge")
    around = np.stack([beside[:-2], beside[1:-1], beside[2:]], axis=2).reshape(FRAMES, PARTS, -1)
    contents = around / np.linalg.norm(around, axis=2, keepdims=True)
    time, pitch = np.meshgrid(np.arange(FRAMES) / FRAMES, np.arange(PARTS) / PARTS, indexing="ij")
    tokens = np.concatenate([contents, PLACE_WEIGHT * np.stack([time, pitch], axis=2)], axis=2)
    return (vector / np.linalg.norm(vector)).astype(np.float32), tokens.reshape(FRAMES * PARTS, -1).astype(np.float32)


def remade(heard, draw):
    """Return a sound made of another: quieter, 50 ms later, under noise."""
    later = np.roll(heard, int(0.05 * RATE))
    return 0.6 * later + 0.02 * draw.normal(size=len(heard))


def line(event_id, vector, tokens):
    """Return a CloudEvent that brings features."""
    brought = {
        "encoder": ENCODER_ID,
        "vector": base64.b64encode(vector.astype("<f4").tobytes()).decode(),
        "tokens": base64.b64encode(tokens.astype("<f4").tobytes()).decode(),
        "shape": list(tokens.shape),
    }
    return json.dumps(
        {
            "specversion": "1.0",
            "type": "gmv.image.generated.v1",
            "source": "https://sounds.example/generator",
            "id": event_id,
            "data": {"features": brought, "model": "sampler-1"},
        }
    )


folder = Path(sys.argv[1])
folder.mkdir(parents=True, exist_ok=True)
named = [(owner, number) for owner in sorted(INSTRUMENTS) for number in range(SOUNDS_OF_AN_OWNER)]
seen = [features(sound(*name)) for name in named]
columns = {
    "image_id": [f"{owner}-{number:02}.wav" for owner, number in named],  # what an image is to gmv is a sound here
    "owner_id": [owner for owner, _ in named],
    "vector": [vector.tolist() for vector, _ in seen],
    "tokens": [tokens.tolist() for _, tokens in seen],
}
pq.write_table(pa.table(columns), folder / "corpus.parquet")
draw = np.random.default_rng(1)
with (folder / "events.jsonl").open("w") as file:
    for owner in sorted(INSTRUMENTS):
        for number in range(EVENTS_OF_AN_OWNER):
            source = 7 * number + 2
            made = features(remade(sound(owner, source), draw))
            file.write(line(f"of {owner}-{source:02}.wav", *made) + "\n")
print(f"{len(named)} sounds, {EVENTS_OF_AN_OWNER * len(INSTRUMENTS)} events")
