// Reads the state_dict in a file and returns.
#include "state_dict/state_dict.h"

int main(int argc, char** argv) { return argc == 2 && !iris::read_state_dict(argv[1]).is_empty() ? 0 : 1; }
