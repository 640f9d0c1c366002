// The heap that LibTorch starts with.
#pragma once

namespace iris {

// LibTorch makes many small objects while it is loaded. One piece of heap for them, of huge pages where the kernel has
// them, saves most of the page faults (docs/performance.md). Call before LibTorch is loaded.
void prepare_heap();

}  // namespace iris
