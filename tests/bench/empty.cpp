// A LibTorch program that just returns: what loading and leaving LibTorch costs.
int main() { return 0; }
