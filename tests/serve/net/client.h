// A client on a plain socket.
#pragma once

#include <boost/asio/buffer.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/write.hpp>
#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <thread>

namespace iris::serve {

class Client {
 public:
  // Tries until somebody listens there.
  explicit Client(std::uint16_t port) : socket_(*context_) {
    namespace asio = boost::asio;
    boost::system::error_code error;
    const asio::ip::tcp::endpoint server(asio::ip::address_v4::loopback(), port);
    while (socket_.connect(server, error), error) {
      socket_ = asio::ip::tcp::socket(*context_);
      std::this_thread::sleep_for(std::chrono::milliseconds(5));
    }
  }

  void send(const std::string& bytes) { boost::asio::write(socket_, boost::asio::buffer(bytes)); }

  // The next answer: "200 " and its body, or "100" alone. "closed" at the connection's end.
  std::string answer() {
    std::size_t head = 0;
    while ((head = text_.find("\r\n\r\n")) == std::string::npos) {
      if (!read()) {
        return "closed";
      }
    }
    head += 4;
    const std::string status = text_.substr(9, 3);
    const std::size_t length = text_.find("Content-Length: ");
    const std::size_t size = length < head ? std::stoul(text_.substr(length + 16)) : 0;
    while (text_.size() < head + size) {
      if (!read()) {
        return "cut short";
      }
    }
    const std::string body = text_.substr(head, size);
    text_.erase(0, head + size);
    return length < head ? status + " " + body : status;
  }

  std::string post(const std::string& path, const std::string& body) {
    send("POST " + path + " HTTP/1.1\r\nHost: t\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body);
    return answer();
  }

 private:
  bool read() {
    char piece[4096];
    boost::system::error_code error;
    text_.append(piece, socket_.read_some(boost::asio::buffer(piece), error));
    return !error;
  }

  std::unique_ptr<boost::asio::io_context> context_ = std::make_unique<boost::asio::io_context>();
  boost::asio::ip::tcp::socket socket_;
  std::string text_;  // read and not yet returned
};

}  // namespace iris::serve
