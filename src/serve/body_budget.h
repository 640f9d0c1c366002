// A limit on the memory of the requests' bodies, for all connections together.
#pragma once

#include <atomic>
#include <cstddef>

namespace iris::serve {

// Any number of threads may take from it.
class BodyBudget {
 public:
  explicit BodyBudget(std::size_t most) : most_(most) {}

  // A connection's part. Its destructor gives it back. The budget must outlive it.
  class Share {
   public:
    explicit Share(BodyBudget& budget) : budget_(budget) {}
    ~Share() { budget_.taken_ -= bytes_; }
    Share(const Share&) = delete;
    Share& operator=(const Share&) = delete;

    // Takes this many bytes in place of those before. Returns false, and changes nothing, where there is no room.
    bool resize(std::size_t bytes) {
      const std::size_t more = bytes - bytes_;  // wraps where it is fewer, and so does the sum
      if (more != 0 && budget_.taken_.fetch_add(more) + more > budget_.most_ && bytes > bytes_) {
        budget_.taken_ -= more;
        return false;
      }
      bytes_ = bytes;
      return true;
    }

   private:
    BodyBudget& budget_;
    std::size_t bytes_ = 0;
  };

 private:
  const std::size_t most_;
  std::atomic<std::size_t> taken_ = 0;
};

}  // namespace iris::serve
