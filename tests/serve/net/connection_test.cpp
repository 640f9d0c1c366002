#include "serve/net/connection.h"

#include <gtest/gtest.h>

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <memory>
#include <string>
#include <thread>
#include <utility>

#include "serve/fake_model.h"
#include "serve/net/client.h"
#include "serve/pipe.h"

namespace iris::serve {
namespace {

using boost::asio::ip::tcp;

constexpr const char* kLive = "GET /v2/health/live HTTP/1.1\r\nHost: t\r\n\r\n";
constexpr const char* kIsLive = "200 {\"live\":true}";

class ConnectionTest : public ::testing::Test {
 protected:
  ConnectionTest() { options_.timeout = std::chrono::hours(1); }
  ~ConnectionTest() override {
    large_bodies_.reset();
    worker_.reset();
  }

  // The client of a new connection.
  Client connect(Admission admission = Admission::kWelcome) {
    if (!service_) {
      service_ = std::make_unique<Service>(options_, [] { return std::make_shared<FakeModel>(); }, contexts_, log_);
      worker_ = std::make_unique<Worker>(options_, *service_);
      large_bodies_ = std::make_unique<ContextThread>(contexts_.large_bodies);
    }
    Client client(acceptor_.local_endpoint().port());
    Socket socket(worker_->context);
    acceptor_.accept(socket);
    worker_->expect_session();
    start_connection(*worker_, std::move(socket), nullptr, admission);
    return client;
  }

  // The answer to the request on a connection of its own, and whether the connection is closed after it.
  std::pair<std::string, bool> asked(const std::string& request) {
    Client client = connect();
    client.send(request + kLive);
    const std::string answer = client.answer();
    return {answer, client.answer() == "closed"};
  }

  Service& service() { return *service_; }

  boost::asio::io_context& passes_context() { return contexts_.passes; }

  std::string metric(const std::string& sample) {
    Client client = connect();
    client.send("GET /metrics HTTP/1.1\r\nHost: t\r\n\r\n");
    const std::string text = client.answer();
    const std::size_t place = text.find("\n" + sample + " ") + sample.size() + 2;
    return text.substr(place, text.find('\n', place) - place);
  }

  ServerOptions options_;

 private:
  const Nowhere nowhere_{};
  Log log_{LogFormat::kText, nowhere_.descriptor};
  Service::Contexts contexts_;
  std::unique_ptr<Service> service_;
  std::unique_ptr<Worker> worker_;
  std::unique_ptr<ContextThread> large_bodies_;
  boost::asio::io_context context_;
  tcp::acceptor acceptor_{context_, tcp::endpoint(boost::asio::ip::address_v4::loopback(), 0)};
};

TEST_F(ConnectionTest, AnswersPipelinedRequestsInOrder) {
  Client client = connect();
  client.send(std::string(kLive) + "GET /v1/models HTTP/1.1\r\nHost: t\r\n\r\n" + kLive);
  EXPECT_EQ(client.answer(), kIsLive);
  EXPECT_EQ(client.answer(), "200 {\"models\":[\"iris\"]}");
  EXPECT_EQ(client.answer(), kIsLive);
}

TEST_F(ConnectionTest, PassesOverAnEmptyLineBetweenRequests) {
  Client client = connect();
  client.send(std::string(kLive) + "\r\n" + kLive);
  EXPECT_EQ(client.answer(), kIsLive);
  EXPECT_EQ(client.answer(), kIsLive);
}

TEST_F(ConnectionTest, IsKeptAfterARequestThatIsRefusedWhole) {
  EXPECT_EQ(
      asked("GET /nothing HTTP/1.1\r\nHost: t\r\n\r\n"),
      std::pair(std::string(R"(404 {"error":"there is no route \"/nothing\"; GET /openapi.json lists them"})"), false));
}

TEST_F(ConnectionTest, IsClosedAfterAHeadThatIsRefused) {
  EXPECT_EQ(asked("GET / HTTP/1.1\r\n\r\n"), std::pair(std::string(R"(400 {"error":"Host: is missing"})"), true));
}

TEST_F(ConnectionTest, IsClosedWhereTheClientAsksForIt) {
  Client client = connect();
  client.send("GET /v2/health/live HTTP/1.1\r\nHost: t\r\nConnection: close\r\n\r\n");
  EXPECT_EQ(client.answer(), kIsLive);
  EXPECT_EQ(client.answer(), "closed");
}

TEST_F(ConnectionTest, AsksForTheBodyOfWhoExpectsIt) {
  Client client = connect();
  client.send("POST /v2/repository/index HTTP/1.1\r\nHost: t\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n");
  EXPECT_EQ(client.answer(), "100");
  client.send("{}");
  EXPECT_EQ(client.answer(), R"(200 [{"name":"iris","reason":"","state":"READY","version":"1"}])");
}

TEST_F(ConnectionTest, RefusesWhatElseIsExpected) {
  EXPECT_EQ(asked("GET / HTTP/1.1\r\nHost: t\r\nExpect: more\r\n\r\n"),
            std::pair(std::string(R"(417 {"error":"Expect: only 100-continue is known here"})"), true));
}

TEST_F(ConnectionTest, TellsOneTooMany) {
  options_.max_connections = 7;
  for (const char* request : {"GET /v2 HTTP/1.1\r\nHost: t\r\n\r\n", ""}) {  // or it says nothing
    Client client = connect(Admission::kOneTooMany);
    client.send(request);
    EXPECT_EQ(client.answer(), R"(503 {"error":"there are 7 connections, as many as this server takes; try again"})");
    EXPECT_EQ(client.answer(), "closed");
  }
}

TEST_F(ConnectionTest, TellsAlsoOneTooManyOfTheServersHealth) {
  Client client = connect(Admission::kOneTooMany);
  client.send(kLive);
  EXPECT_EQ(client.answer(), kIsLive);
  EXPECT_EQ(client.answer(), "closed");
}

TEST_F(ConnectionTest, TellsAClientThatIsTooSlow) {
  options_.timeout = std::chrono::milliseconds(50);
  Client client = connect();
  client.send("GET / HTTP/1.1\r\n");
  EXPECT_EQ(client.answer(), R"(408 {"error":"the request did not come whole within 50 ms"})");
  EXPECT_EQ(client.answer(), "closed");
}

TEST_F(ConnectionTest, ClosesASilentOneWithoutAWord) {
  options_.timeout = std::chrono::milliseconds(50);
  EXPECT_EQ(connect().answer(), "closed");
}

TEST_F(ConnectionTest, RefusesABodyPastTheRoomOfAll) {
  options_.max_body = 300'000;
  options_.max_memory = 300'000;
  Client client = connect();
  MemoryBudget::Share others(service().memory);
  EXPECT_TRUE(others.resize(1'100'000));  // of four bodies of the limit
  EXPECT_EQ(client.post("/v2/repository/index", "{}" + std::string(200'000, ' ')),
            R"(503 {"error":"all requests together are as large as this server takes; try again"})");
}

TEST_F(ConnectionTest, AlwaysHasRoomForOneBodyOfTheLimit) {
  options_.max_body = 300'000;
  options_.max_memory = 1;
  EXPECT_EQ(connect().post("/v2/repository/index", "{}" + std::string(299'998, ' ')),
            R"(200 [{"name":"iris","reason":"","state":"READY","version":"1"}])");
}

TEST_F(ConnectionTest, ComputesNothingForCallersWhoLeft) {
  options_.max_wait = std::chrono::hours(1);
  {
    Client client = connect();
    client.send("POST /predict HTTP/1.1\r\nHost: t\r\nContent-Length: 9\r\n\r\n[1,2,3,4]");
    while (metric("iris_inference_pending_rows") != "1") {
      std::this_thread::sleep_for(std::chrono::milliseconds(5));
    }
  }
  std::this_thread::sleep_for(
      std::chrono::seconds(2));  // until it has looked, and patience with half-closed ones is over
  ContextThread passes(passes_context());
  service().start_draining();  // the pass begins
  while (metric("iris_inference_pending_rows") != "0") {
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
  EXPECT_EQ(metric("iris_inference_rows_total"), "0");
}

}  // namespace
}  // namespace iris::serve
