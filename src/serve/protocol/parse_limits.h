// What parsing a large body may take: memory, time, and only while somebody waits for the answer.
#pragma once

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <string>

#include "serve/protocol/memory_budget.h"
#include "serve/protocol/response.h"

namespace iris::serve {

// Whether the caller has left. Copies are independent.
struct Flag {
  Flag() = default;
  Flag(const Flag& other) : is_set(other.is_set.load()) {}
  Flag& operator=(const Flag& other) {
    is_set = other.is_set.load();
    return *this;
  }

  std::atomic<bool> is_set = false;
};

class ParseLimits {
 public:
  // Takes the memory from `share`, and notes in `most_taken` how much that was at its most. All must outlive this.
  ParseLimits(MemoryBudget::Share& share, std::chrono::steady_clock::time_point deadline, const Flag& has_left,
              std::size_t& most_taken)
      : share_(share), deadline_(deadline), has_left_(has_left), taken_(share.bytes()), most_taken_(most_taken) {}

  // Notes memory that is about to be allocated. Throws RequestError: 413 where no server of this configuration has so
  // much, 503 where other requests hold it.
  void take(std::size_t bytes) {
    taken_ += bytes;
    if (taken_ <= share_.bytes()) {
      return;
    }
    if (taken_ > share_.most()) {
      throw RequestError(413, "the body takes more memory, unpacked and parsed, than the " +
                                  std::to_string(share_.most()) + " bytes that all requests share");
    }
    if (!share_.resize(std::min(taken_ + kStep, share_.most())) && !share_.resize(taken_)) {
      throw RequestError(503, kRequestsAreLarge);
    }
    most_taken_ = std::max(most_taken_, taken_);
  }
  void give_back(std::size_t bytes) { taken_ -= bytes; }

  // To be called for each value. Throws RequestError: 503 past the deadline, 499 where the caller has left.
  void look() {
    if (++looks_ % kLooks == 0) {
      look_now();
    }
  }
  void look_now() const {
    if (has_left_.is_set) {
      throw RequestError(499, kCallerLeft);
    }
    if (std::chrono::steady_clock::now() > deadline_) {
      throw RequestError(503, "the body could not be parsed in time; try again");
    }
  }

  static constexpr const char* kRequestsAreLarge = "all requests together are as large as this server takes; try again";
  static constexpr const char* kCallerLeft = "the caller left before the answer";

 private:
  static constexpr std::size_t kStep = 1 << 20;  // so that few values take from the share
  static constexpr std::size_t kLooks = 4096;

  MemoryBudget::Share& share_;
  std::chrono::steady_clock::time_point deadline_;
  const Flag& has_left_;
  std::size_t taken_;
  std::size_t& most_taken_;
  std::size_t looks_ = 0;
};

// Makes room for `more` elements, as the container itself would do, and notes it. `limits` nullptr: without a note.
template <class Container>
void make_room(Container& elements, std::size_t more, ParseLimits* limits) {
  const std::size_t room = elements.capacity();
  if (limits == nullptr || elements.size() + more <= room) {
    return;
  }
  const std::size_t wanted = std::max(2 * room, elements.size() + more);
  constexpr std::size_t kSize = sizeof(typename Container::value_type);
  limits->take(wanted * kSize);
  elements.reserve(wanted);
  limits->give_back(room * kSize);
}

}  // namespace iris::serve
