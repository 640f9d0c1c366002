#include "io/mapping.h"

#include <signal.h>
#include <sys/mman.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstdint>
#include <cstring>

#include "error.h"

namespace iris {
namespace {

const auto kPageSize = static_cast<std::uintptr_t>(::sysconf(_SC_PAGESIZE));

}  // namespace

// Where a mapping lies. Never freed, since a signal's handler may look at it at any moment; used again.
struct Mapping::Watched {
  std::atomic<bool> is_used = true;
  std::atomic<std::uintptr_t> begin = 0;
  std::atomic<std::uintptr_t> end = 0;
  std::atomic<bool> is_cut = false;
  Watched* next = nullptr;

  static inline std::atomic<Watched*> first = nullptr;
  static_assert(std::atomic<Watched*>::is_always_lock_free && std::atomic<std::uintptr_t>::is_always_lock_free);

  static Watched* at(std::uintptr_t address) {
    for (Watched* each = first; each != nullptr; each = each->next) {
      const std::uintptr_t its_begin = each->begin;
      const std::uintptr_t its_end = each->end;
      // The second look: meanwhile it may have become another mapping's.
      if (its_begin != 0 && its_begin <= address && address < its_end && each->begin == its_begin) {
        return each;
      }
    }
    return nullptr;
  }
};

Mapping::Watched& Mapping::watch(std::span<std::byte> bytes) {
  Watched* free = Watched::first;
  while (free != nullptr && free->is_used.exchange(true)) {
    free = free->next;
  }
  if (free == nullptr) {
    free = new Watched;
    free->next = Watched::first;
    while (!Watched::first.compare_exchange_weak(free->next, free)) {
    }
  }
  const auto begin = reinterpret_cast<std::uintptr_t>(bytes.data());
  free->is_cut = false;
  free->end = begin + bytes.size();
  free->begin = begin;
  return *free;
}

void survive_cut_files() {
  struct sigaction action = {};
  action.sa_flags = SA_SIGINFO;
  action.sa_sigaction = [](int number, siginfo_t* info, void* /*context*/) {
    const int error = errno;
    const auto address = reinterpret_cast<std::uintptr_t>(info->si_addr);
    Mapping::Watched* watched = info->si_code == BUS_ADRERR ? Mapping::Watched::at(address) : nullptr;
    if (watched != nullptr) {
      watched->is_cut = true;
      const std::uintptr_t page = address - address % kPageSize;
      // Zeros from here to the mapping's end, so that reading goes on.
      void* zeros = ::mmap(reinterpret_cast<void*>(page), watched->end - page, PROT_READ | PROT_WRITE,
                           MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED | MAP_NORESERVE, -1, 0);
      if (zeros != MAP_FAILED) {
        errno = error;
        return;
      }
    }
    ::signal(number, SIG_DFL);  // not ours: what is read again ends the process
  };
  ::sigaction(SIGBUS, &action, nullptr);
}

Mapping::Mapping(int descriptor, std::size_t size) {
  void* mapping = MAP_FAILED;
  // Where the kernel grants no memory beyond what it has, a file larger than that can still be read.
  for (const int protection : {PROT_READ | PROT_WRITE, PROT_READ}) {
    if (mapping == MAP_FAILED) {
      mapping = ::mmap(nullptr, size, protection, MAP_PRIVATE | MAP_NORESERVE, descriptor, 0);
    }
  }
  if (mapping == MAP_FAILED) {
    throw FormatError(std::strerror(errno));
  }
  bytes_ = {static_cast<std::byte*>(mapping), size};
  watched_ = &watch(bytes_);
}

Mapping::~Mapping() {
  watched_->begin = 0;
  ::munmap(bytes_.data(), bytes_.size());
  watched_->is_used = false;
}

bool Mapping::is_cut() const { return watched_->is_cut; }

}  // namespace iris
