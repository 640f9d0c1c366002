"""MLServer with a runtime and a handler of one's own, as its manual writes them. usage: serve_mlserver.py MODEL PORT"""

import asyncio
import sys

import torch
from mlserver import MLModel, MLServer, ModelSettings, Settings
from mlserver.handlers import custom_handler
from mlserver.settings import ModelParameters

from iris_export.iris_net import LABELS, IrisNet


class Iris(MLModel):
    async def load(self) -> bool:
        self.model = IrisNet()
        self.model.load_state_dict(torch.load(self.settings.parameters.uri, weights_only=True))
        self.model.eval()
        return True

    @custom_handler(rest_path="/predict")
    async def classify(self, body: dict) -> dict:
        with torch.inference_mode():
            rows = torch.softmax(self.model(torch.tensor(body["instances"])), 1).tolist()
        return {
            "predictions": [
                {
                    "label": LABELS[row.index(max(row))],
                    "index": row.index(max(row)),
                    "confidence": max(row),
                    "probabilities": dict(zip(LABELS, row, strict=True)),
                }
                for row in rows
            ]
        }


async def main() -> None:
    port = int(sys.argv[2])
    settings = Settings(
        host="127.0.0.1", http_port=port, grpc_port=port + 1, metrics_port=port + 2, parallel_workers=0, debug=False
    )
    model = ModelSettings(name="iris", implementation=Iris, parameters=ModelParameters(uri=sys.argv[1]))
    await MLServer(settings).start([model])


if __name__ == "__main__":
    asyncio.run(main())
