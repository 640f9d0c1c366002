// A thread that always finds work lets others have its core now and then.
#pragma once

namespace iris::serve {

// A thread that finds work whenever it looks keeps its core until the scheduler's next tick, 4 ms later. A client on
// that core waits as long to read its answers. So the thread yields after every kRunsBetweenYields runs without a wait
// of its own.
//
// Measured with tests/bench/serve.py, 64 connections, 2 cores: p99 0.85 to 1.24 ms with it, 1.58 to 4.60 ms without it,
// at the same throughput. Next to two other busy processes the server has 5 to 20 % less throughput with it; yielding
// after each run would halve it.
//
// For one thread.
class GiveWay {
 public:
  static constexpr int kRunsBetweenYields = 3;

  // To be called after each run.
  void after_run();

  // Whether the thread has to yield now. `waits`: how often it has waited for something so far, at this run's end.
  bool is_due(long waits);

 private:
  long waits_ = 0;  // at the last run's end
  int runs_since_wait_ = 0;
};

// How often the calling thread has waited for something, as the kernel counts (voluntary context switches).
long wait_count();

}  // namespace iris::serve
