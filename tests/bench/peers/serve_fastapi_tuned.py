"""FastAPI as fast as it goes: async, the body read and the answer written by orjson, no validation model; uvicorn on
uvloop with httptools and two workers. usage: serve_fastapi_tuned.py MODEL PORT"""

import os
import sys

import orjson
import torch
import uvicorn
from fastapi import FastAPI, Request, Response

from iris_export.iris_net import IrisNet

LABELS = ("setosa", "versicolor", "virginica")

torch.set_num_threads(1)
app = FastAPI()
model = IrisNet()
model.load_state_dict(torch.load(os.environ.get("IRIS_MODEL") or sys.argv[1], weights_only=True))
model.eval()


@app.post("/predict")
async def predict(request: Request) -> Response:
    instances = orjson.loads(await request.body())["instances"]
    with torch.inference_mode():
        rows = torch.softmax(model(torch.tensor(instances)), 1).tolist()
    predictions = []
    for row in rows:
        best = max(range(len(row)), key=row.__getitem__)
        predictions.append(
            {
                "label": LABELS[best],
                "index": best,
                "confidence": row[best],
                "probabilities": dict(zip(LABELS, row, strict=True)),
            }
        )
    return Response(orjson.dumps({"predictions": predictions}), media_type="application/json")


if __name__ == "__main__":
    os.environ["IRIS_MODEL"] = sys.argv[1]
    uvicorn.run(
        "serve_fastapi_tuned:app",
        port=int(sys.argv[2]),
        workers=2,
        loop="uvloop",
        http="httptools",
        log_level="warning",
        access_log=False,
    )
