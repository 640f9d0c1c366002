#include "serve/net/worker.h"

#include <algorithm>
#include <array>
#include <boost/asio/post.hpp>
#include <chrono>
#include <cstdint>
#include <ctime>
#include <new>

namespace iris::serve {
namespace {

namespace asio = boost::asio;

constexpr std::chrono::milliseconds kLongestWatch(250);
constexpr std::chrono::milliseconds kShortestWatch(5);
constexpr std::chrono::milliseconds kIdleWhileDraining(500);  // a request may be on its way

}  // namespace

Worker::Worker(const ServerOptions& its_options, Service& its_service)
    : options(its_options),
      service(its_service),
      context(1),
      batcher(service.make_batcher(context)),
      timer_(context),
      ids_((std::uint64_t{std::random_device()()} << 32) + std::random_device()()),
      thread_(context) {
  asio::post(context, [this] { watch(); });
}

void Worker::add(Session* session) {
  sessions_.insert(session);
  if (service.is_draining()) {
    session->deadline = Clock::now() + kIdleWhileDraining;
  }
}

void Worker::remove(Session* session) {
  sessions_.erase(session);
  --session_count_;
}

// One timer serves all deadlines: a timer for each request would cost more than reading the request.
void Worker::watch() {
  const std::time_t second = std::time(nullptr);
  std::tm parts = {};
  ::gmtime_r(&second, &parts);
  std::array<char, 32> text{};
  std::strftime(text.data(), text.size(), "%a, %d %b %Y %T GMT", &parts);
  date_ = text.data();
  const std::chrono::milliseconds period =
      std::clamp<std::chrono::milliseconds>(options.timeout / 10, kShortestWatch, kLongestWatch);
  timer_.expires_after(period);
  timer_.async_wait([this](const boost::system::error_code& error) {
    if (error) {
      return;
    }
    look_at_sessions();
    watch();
  });
}

void Worker::look_at_sessions() {
  const auto now = Clock::now();
  late_.clear();
  const auto find_late = [&] {
    try {
      for (Session* session : sessions_) {
        session->look(now);
        if (session->deadline <= now) {
          late_.push_back(session);
        }
      }
      return true;
    } catch (const std::bad_alloc&) {
      return false;
    }
  };
  find_late();  // without memory for all of them, the others are late the next time too
  for (Session* session : late_) {
    session->expire();
  }
}

void Worker::drain() {
  asio::post(context, [this] {
    const auto soon = Clock::now() + kIdleWhileDraining;
    for (Session* session : sessions_) {
      if (session->is_idle()) {
        session->deadline = std::min(session->deadline, soon);
      }
    }
  });
}

std::string Worker::new_request_id() {
  std::uint64_t bits = ids_();
  std::string id(16, '0');
  for (char& digit : id) {
    digit = "0123456789abcdef"[bits & 15];
    bits >>= 4;
  }
  return id;
}

}  // namespace iris::serve
