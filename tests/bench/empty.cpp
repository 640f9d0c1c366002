// A LibTorch program that just returns: the cost of loading LibTorch and taking it down.
int main() { return 0; }
