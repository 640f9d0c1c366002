// A limit on the memory of all requests together: their bodies, packed and unpacked, what is parsed of them, their
// rows, and answers that wait to be taken.
#pragma once

#include <atomic>
#include <cstddef>
#include <utility>

namespace iris::serve {

// Any number of threads may take from it.
class MemoryBudget {
 public:
  explicit MemoryBudget(std::size_t most) : most_(most) {}

  std::size_t most() const { return most_; }

  // A part of it, for one thread at a time. Its destructor gives it back. The budget must outlive it.
  class Share {
   public:
    Share() = default;  // of nothing; only to be assigned to
    explicit Share(MemoryBudget& budget) : budget_(&budget) {}
    ~Share() { give_back(); }
    Share(Share&& other) noexcept : budget_(other.budget_), bytes_(std::exchange(other.bytes_, 0)) {}
    Share& operator=(Share&& other) noexcept {
      give_back();
      budget_ = other.budget_;
      bytes_ = std::exchange(other.bytes_, 0);
      return *this;
    }

    // Takes this many bytes in place of those before. Returns false, and changes nothing, where there is no room.
    bool resize(std::size_t bytes) {
      const std::size_t more = bytes - bytes_;  // wraps where it is fewer, and so does the sum
      if (more != 0 && budget_->taken_.fetch_add(more) + more > budget_->most_ && bytes > bytes_) {
        budget_->taken_ -= more;
        return false;
      }
      bytes_ = bytes;
      return true;
    }

    std::size_t bytes() const { return bytes_; }
    std::size_t most() const { return budget_->most_; }

   private:
    void give_back() {
      if (bytes_ != 0) {
        budget_->taken_ -= bytes_;
      }
    }

    MemoryBudget* budget_ = nullptr;
    std::size_t bytes_ = 0;
  };

 private:
  const std::size_t most_;
  std::atomic<std::size_t> taken_ = 0;
};

}  // namespace iris::serve
