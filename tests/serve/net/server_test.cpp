#include "serve/net/server.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <atomic>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <csignal>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "serve/fake_model.h"
#include "serve/net/client.h"

namespace iris::serve {
namespace {

namespace asio = boost::asio;
using asio::ip::tcp;

std::uint16_t free_port() {
  asio::io_context context;
  return tcp::acceptor(context, tcp::endpoint(asio::ip::address_v4::loopback(), 0)).local_endpoint().port();
}

// Serves in a thread of its own until SIGTERM, without a word.
class Running {
 public:
  explicit Running(ServerOptions options, LoadModel load = [] { return std::make_shared<FakeModel>(); }) {
    options.port = port;
    options.workers = 2;
    options.log_descriptor = nowhere_;
    thread_ = std::thread([this, options, load] { status = serve(options, load); });
    Client(port).post("/predict", "[1,2,3,4]");
  }

  int end() {
    ::raise(SIGTERM);
    thread_.join();
    ::close(nowhere_);
    return status;
  }

  const std::uint16_t port = free_port();
  int status = -1;

 private:
  const int nowhere_ = ::open("/dev/null", O_WRONLY | O_CLOEXEC);
  std::thread thread_;
};

TEST(Server, EveryCallerGetsItsOwnRowsWhileTheModelIsLoadedAgain) {
  for (const std::chrono::microseconds wait : {std::chrono::microseconds(0), std::chrono::microseconds(100)}) {
    ServerOptions options;
    options.max_wait = wait;  // with it the shared batcher is at work
    Running server(options);
    std::vector<std::thread> clients;
    for (int i = 0; i < 6; ++i) {
      clients.emplace_back([&server, i] {
        Client client(server.port);
        const bool is_x = i % 2 == 0;
        for (int j = 0; j < 200; ++j) {
          const std::string answer = client.post("/predict", is_x ? "[2,1,0,0]" : "[1,2,0,0]");
          ASSERT_EQ(answer.substr(0, 38),
                    std::string(R"(200 {"predictions":[{"label":")") + (is_x ? "x" : "y") + "\",\"inde");
        }
      });
    }
    Client loader(server.port);
    for (int i = 0; i < 20; ++i) {
      EXPECT_EQ(loader.post("/v2/repository/models/iris/load", ""), "200 {}");
    }
    for (std::thread& client : clients) {
      client.join();
    }
    EXPECT_EQ(server.end(), 0);
  }
}

// A model whose second load lasts until it is told to end.
class SlowLoad {
 public:
  LoadModel load() {
    return [this] {
      if (loads++ > 0) {
        while (!is_over) {
          std::this_thread::sleep_for(std::chrono::milliseconds(1));
        }
        ended = true;
      }
      return std::make_shared<FakeModel>();
    };
  }

  void wait_until_it_loads() const {
    while (loads < 2) {
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
  }

  std::atomic<int> loads = 0;
  std::atomic<bool> is_over = false;
  std::atomic<bool> ended = false;
};

std::string large_body() { return "[1,2,3,4" + std::string(100'000, ' ') + "]"; }

TEST(Server, ALoadThatTakesLongHoldsUpNobody) {
  SlowLoad slow;
  Running server(ServerOptions(), slow.load());
  ::raise(SIGHUP);
  slow.wait_until_it_loads();
  Client client(server.port);
  EXPECT_EQ(client.post("/predict", "[1,2,3,4]").substr(0, 3), "200");
  EXPECT_EQ(client.post("/predict", large_body()).substr(0, 3), "200");
  EXPECT_FALSE(slow.ended);
  slow.is_over = true;
  EXPECT_EQ(server.end(), 0);
}

TEST(Server, EndsAfterALoadThatIsUnderWay) {
  SlowLoad slow;
  Running server(ServerOptions(), slow.load());
  ::raise(SIGHUP);
  slow.wait_until_it_loads();
  std::thread later([&slow] {
    std::this_thread::sleep_for(std::chrono::milliseconds(100));
    slow.is_over = true;
  });
  EXPECT_EQ(server.end(), 0);
  EXPECT_TRUE(slow.ended);
  later.join();
}

TEST(Server, BoundsTheBodiesOfAllRequestsTogether) {
  ServerOptions options;
  options.max_body = 300'000;
  options.max_memory = 400'000;
  Running server(options);
  const std::string part(200'000, ' ');
  const auto post = [&] { return Client(server.port).post("/predict", "[1,2,3,4" + part + "]"); };
  std::vector<std::unique_ptr<Client>> unfinished;
  std::string answer = post();
  for (int i = 0; i < 1000 && answer.substr(0, 3) == "200"; ++i) {  // until the server has read an unfinished one
    unfinished.push_back(std::make_unique<Client>(server.port));
    unfinished.back()->send("POST /predict HTTP/1.1\r\nHost: t\r\nContent-Length: 200009\r\n\r\n" + part);
    answer = post();
  }
  EXPECT_EQ(answer, R"(503 {"error":"all requests together are as large as this server takes; try again"})");
  unfinished.clear();
  for (int i = 0; i < 1000 && answer.substr(0, 3) == "503"; ++i) {  // until it has seen them go
    answer = post();
  }
  EXPECT_EQ(answer.substr(0, 3), "200");
  EXPECT_EQ(server.end(), 0);
}

TEST(Server, ARowThatBreaksItsPassBreaksOnlyItsOwnRequest) {
  ServerOptions options;
  options.max_wait = std::chrono::milliseconds(2);
  Running server(options);
  std::vector<std::thread> clients;
  for (int i = 0; i < 4; ++i) {
    clients.emplace_back([&server, i] {
      Client client(server.port);
      for (int j = 0; j < 50; ++j) {
        ASSERT_EQ(client.post("/predict", i == 0 ? "[2,1,0,-1]" : "[2,1,0,0]").substr(0, 3), i == 0 ? "500" : "200");
      }
    });
  }
  for (std::thread& client : clients) {
    client.join();
  }
  EXPECT_EQ(server.end(), 0);
}

}  // namespace
}  // namespace iris::serve
