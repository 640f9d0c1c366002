// Whether what a checkpoint holds can be of one training run.
#pragma once

#include "train/checkpoint.h"

namespace iris {

// checkpoint.config.fault() is nullptr. Throws FormatError, without the path, where the weights are not those of the
// configured model, a number is not finite, or two parts contradict each other. The optimizer's state and the random
// generator's are checked by Trainer::restore.
void check_checkpoint(const Checkpoint& checkpoint);

}  // namespace iris
