#include "serve/give_way.h"

#include <sched.h>
#include <sys/resource.h>

namespace iris::serve {

void GiveWay::after_run() {
  if (is_due(wait_count())) {
    ::sched_yield();
  }
}

bool GiveWay::is_due(long waits) {
  runs_since_wait_ = waits == waits_ ? runs_since_wait_ + 1 : 0;
  waits_ = waits;
  if (runs_since_wait_ < kRunsBetweenYields) {
    return false;
  }
  runs_since_wait_ = 0;
  return true;
}

long wait_count() {
  rusage usage = {};
  ::getrusage(RUSAGE_THREAD, &usage);
  return usage.ru_nvcsw;
}

}  // namespace iris::serve
