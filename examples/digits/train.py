"""Trains a small neural network on handwritten digits and reports how often it is right.

`train.yaml` runs it on Podium; it runs as well by hand: python train.py --epochs 20
The 1,797 images come with scikit-learn, so nothing is downloaded.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from pathlib import Path

try:
    import joblib
    import numpy
    from sklearn.datasets import load_digits
    from sklearn.metrics import log_loss
    from sklearn.model_selection import train_test_split
    from sklearn.neural_network import MLPClassifier
    from sklearn.preprocessing import StandardScaler
except ModuleNotFoundError as error:
    sys.exit(f"{error.name} is missing: pip install --require-hashes -r requirements.txt")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--epochs", type=int, default=30)
    parser.add_argument("--batch-size", type=int, default=64)
    parser.add_argument("--learning-rate", type=float, default=0.002)
    parser.add_argument("--seed", type=int, default=7)
    options = parser.parse_args()
    if options.learning_rate <= 0:
        raise ValueError(f"the learning rate is {options.learning_rate}; it must be above 0")

    devices = os.environ.get("CUDA_VISIBLE_DEVICES", "none")
    print(f"digits: {options.epochs} epochs, seed {options.seed}, GPUs {devices}", flush=True)
    images, labels = load_digits(return_X_y=True)
    images, test_images, labels, test_labels = train_test_split(
        images, labels, test_size=0.25, random_state=options.seed, stratify=labels
    )
    scaler = StandardScaler().fit(images)
    images, test_images = scaler.transform(images), scaler.transform(test_images)

    model = MLPClassifier(
        hidden_layer_sizes=(64,),
        learning_rate_init=options.learning_rate,
        batch_size=options.batch_size,
        random_state=options.seed,
    )
    shuffle = numpy.random.default_rng(options.seed)
    classes = numpy.unique(labels)
    history = []
    started = time.monotonic()
    for epoch in range(1, options.epochs + 1):
        order = shuffle.permutation(len(images))
        for batch in numpy.array_split(order, len(order) // options.batch_size):
            model.partial_fit(images[batch], labels[batch], classes=classes)
        loss = log_loss(test_labels, model.predict_proba(test_images))
        accuracy = model.score(test_images, test_labels)
        history.append({"epoch": epoch, "loss": loss, "accuracy": accuracy})
        print(
            f"epoch {epoch}/{options.epochs}  loss {loss:.4f}  accuracy {accuracy:.4f}", flush=True
        )

    output = Path(os.environ.get("PODIUM_OUTPUT", "."))
    output.mkdir(parents=True, exist_ok=True)
    joblib.dump({"scaler": scaler, "model": model}, output / "model.joblib")
    metrics = {
        "accuracy": history[-1]["accuracy"],
        "seconds": round(time.monotonic() - started, 3),
        "tested_on": len(test_labels),
        "history": history,
    }
    (output / "metrics.json").write_text(json.dumps(metrics, indent=2) + "\n")
    print(f"wrote {output / 'model.joblib'} and {output / 'metrics.json'}", flush=True)
    print(f"accuracy {metrics['accuracy']:.4f} on {len(test_labels)} unseen digits", flush=True)


if __name__ == "__main__":
    main()
