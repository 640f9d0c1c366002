"""FastAPI as its tutorials write it. usage: serve_fastapi.py MODEL PORT"""

import sys

import torch
import uvicorn
from fastapi import FastAPI
from pydantic import BaseModel

from iris_export.iris_net import LABELS, IrisNet

app = FastAPI()
model = IrisNet()
model.load_state_dict(torch.load(sys.argv[1], weights_only=True))
model.eval()


class Instances(BaseModel):
    instances: list[list[float]]


@app.post("/predict")
def predict(body: Instances):
    with torch.no_grad():
        probabilities = torch.softmax(model(torch.tensor(body.instances)), dim=1)
    return {
        "predictions": [
            {
                "label": LABELS[int(row.argmax())],
                "index": int(row.argmax()),
                "confidence": float(row.max()),
                "probabilities": dict(zip(LABELS, row.tolist(), strict=True)),
            }
            for row in probabilities
        ]
    }


uvicorn.run(app, port=int(sys.argv[2]), log_level="warning")
