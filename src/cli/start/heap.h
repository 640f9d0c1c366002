// The heap that LibTorch starts with.
#pragma once

namespace iris {

// LibTorch makes many small objects while it is loaded. One piece of heap for them, of huge pages where the kernel has
// them, saves most of the page faults: a cold sample takes 0.61 instead of 0.69 of a plain LibTorch program's time
// (docs/performance.md). Call before LibTorch is loaded.
void prepare_heap();

}  // namespace iris
