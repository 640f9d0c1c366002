#include "serve/net/worker.h"

#include <gtest/gtest.h>

#include <atomic>
#include <boost/asio/post.hpp>
#include <future>
#include <memory>
#include <string>
#include <thread>

#include "serve/fake_model.h"
#include "serve/pipe.h"

namespace iris::serve {
namespace {

class FakeSession : public Session {
 public:
  void expire() override {
    deadline = Clock::time_point::max();
    expired.set_value();
  }
  void look(Clock::time_point) override { ++looks; }
  bool is_idle() const override { return idle; }

  std::promise<void> expired;
  bool idle = true;
  std::atomic<int> looks = 0;
};

class WorkerTest : public ::testing::Test {
 protected:
  // The work's result, on the worker's thread.
  template <class Work>
  auto on_its_thread(const Work& work) {
    std::packaged_task<decltype(work())()> task(work);
    auto result = task.get_future();
    boost::asio::post(worker_.context, [&task] { task(); });
    return result.get();
  }

  void remove(FakeSession& session) {
    on_its_thread([&] { worker_.remove(&session); });
  }

  const Nowhere nowhere_{};
  Log log_{LogFormat::kText, nowhere_.descriptor};
  ServerOptions options_;
  Service::Contexts contexts_;
  Service service_{options_, [] { return std::make_shared<FakeModel>(); }, contexts_, log_};
  Worker worker_{options_, service_};
};

TEST_F(WorkerTest, MakesRequestIdsThatDiffer) {
  const std::string first = on_its_thread([&] { return worker_.new_request_id(); });
  const std::string second = on_its_thread([&] { return worker_.new_request_id(); });
  EXPECT_NE(first, second);
}

TEST_F(WorkerTest, MakesRequestIdsOfSixteenHexadecimalDigits) {
  const std::string id = on_its_thread([&] { return worker_.new_request_id(); });
  EXPECT_EQ(id.size(), 16);
  EXPECT_EQ(id.find_first_not_of("0123456789abcdef"), std::string::npos);
}

TEST_F(WorkerTest, KnowsTheDateAsHttpWritesIt) {
  const std::string date = on_its_thread([&] { return worker_.date(); });  // "Thu, 01 Jan 2026 00:00:00 GMT"
  ASSERT_EQ(date.size(), 29);
  EXPECT_EQ(date.substr(3, 2), ", ");
  EXPECT_EQ(date.substr(25), " GMT");
}

TEST_F(WorkerTest, CountsItsSessions) {
  FakeSession session;
  worker_.expect_session();
  EXPECT_EQ(worker_.session_count(), 1);
  on_its_thread([&] { worker_.add(&session); });
  EXPECT_EQ(worker_.session_count(), 1);
  remove(session);
  EXPECT_EQ(worker_.session_count(), 0);
}

TEST_F(WorkerTest, ExpiresASessionPastItsDeadline) {
  FakeSession session;
  worker_.expect_session();
  session.deadline = Clock::now();
  on_its_thread([&] { worker_.add(&session); });
  session.expired.get_future().get();
  remove(session);
}

TEST_F(WorkerTest, ExpiresIdleSessionsWhileItDrains) {
  FakeSession session;
  worker_.expect_session();
  on_its_thread([&] { worker_.add(&session); });
  worker_.drain();
  session.expired.get_future().get();
  remove(session);
}

TEST_F(WorkerTest, LetsSessionsLookNowAndThen) {
  FakeSession session;
  worker_.expect_session();
  on_its_thread([&] { worker_.add(&session); });
  while (session.looks < 2) {
    std::this_thread::yield();
  }
  remove(session);
}

TEST_F(WorkerTest, LeavesASessionThatAnswersAloneWhileItDrains) {
  FakeSession session;
  session.idle = false;
  worker_.expect_session();
  on_its_thread([&] { worker_.add(&session); });
  worker_.drain();
  EXPECT_EQ(on_its_thread([&] { return session.deadline; }), Clock::time_point::max());
  remove(session);
}

TEST_F(WorkerTest, ExpiresASessionThatComesWhileTheServerDrains) {
  FakeSession session;
  service_.start_draining();
  worker_.expect_session();
  on_its_thread([&] { worker_.add(&session); });
  session.expired.get_future().get();
  remove(session);
}

}  // namespace
}  // namespace iris::serve
