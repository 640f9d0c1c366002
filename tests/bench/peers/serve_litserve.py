"""LitServe as its manual writes it. usage: serve_litserve.py MODEL PORT"""

import sys

import litserve
import torch

from iris_export.iris_net import LABELS, IrisNet


class Api(litserve.LitAPI):
    def setup(self, device):
        self.model = IrisNet()
        self.model.load_state_dict(torch.load(sys.argv[1], weights_only=True))
        self.model.eval()

    def predict(self, request):
        with torch.inference_mode():
            return torch.softmax(self.model(torch.tensor(request["instances"])), 1).tolist()

    def encode_response(self, output):
        return {
            "predictions": [
                {
                    "label": LABELS[row.index(max(row))],
                    "index": row.index(max(row)),
                    "confidence": max(row),
                    "probabilities": dict(zip(LABELS, row, strict=True)),
                }
                for row in output
            ]
        }


if __name__ == "__main__":
    server = litserve.LitServer(Api(), accelerator="cpu")
    server.run(port=int(sys.argv[2]), log_level="warning", generate_client_file=False)
