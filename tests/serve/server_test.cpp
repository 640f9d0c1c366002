#include "serve/server.h"

#include <gtest/gtest.h>

#include <boost/asio/connect.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/write.hpp>
#include <csignal>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "serve/fake_model.h"

namespace iris::serve {
namespace {

namespace asio = boost::asio;
using asio::ip::tcp;

std::uint16_t free_port() {
  asio::io_context context;
  return tcp::acceptor(context, tcp::endpoint(asio::ip::address_v4::loopback(), 0)).local_endpoint().port();
}

class Client {
 public:
  explicit Client(std::uint16_t port) : socket_(context_) {
    boost::system::error_code error;
    const tcp::endpoint server(asio::ip::address_v4::loopback(), port);
    while (socket_.connect(server, error), error) {  // until it listens
      socket_ = tcp::socket(context_);
      std::this_thread::sleep_for(std::chrono::milliseconds(5));
    }
  }

  // The answer's status and body.
  std::string post(const std::string& path, const std::string& body) {
    asio::write(socket_, asio::buffer("POST " + path + " HTTP/1.1\r\nHost: t\r\nContent-Length: " +
                                      std::to_string(body.size()) + "\r\n\r\n" + body));
    std::string text;
    std::size_t size = std::string::npos;
    while (text.size() < size) {
      char piece[4096];
      text.append(piece, socket_.read_some(asio::buffer(piece)));
      const std::size_t end = text.find("\r\n\r\n");
      if (size == std::string::npos && end != std::string::npos) {
        size = end + 4 + std::stoul(text.substr(text.find("Content-Length: ") + 16));
      }
    }
    return text.substr(9, 4) + text.substr(text.find("\r\n\r\n") + 4);
  }

 private:
  asio::io_context context_;
  tcp::socket socket_;
};

// Serves in a thread of its own until SIGTERM.
class Running {
 public:
  explicit Running(ServerOptions options) {
    options.port = port;
    options.workers = 2;
    thread_ = std::thread([this, options] { status = serve(options, [] { return std::make_shared<FakeModel>(); }); });
    Client(port).post("/predict", "[1,2,3,4]");
  }

  int end() {
    ::raise(SIGTERM);
    thread_.join();
    return status;
  }

  const std::uint16_t port = free_port();
  int status = -1;

 private:
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
