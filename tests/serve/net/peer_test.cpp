#include "serve/net/peer.h"

#include <gtest/gtest.h>
#include <sys/un.h>
#include <unistd.h>

#include <boost/asio/ip/tcp.hpp>

namespace iris::serve {
namespace {

bool is_here(const char* address) {
  const boost::asio::ip::tcp::endpoint endpoint(boost::asio::ip::make_address(address), 1);
  return is_on_this_machine(endpoint.data());
}

TEST(Peer, IsOnThisMachineOverTheLoopbackInterface) {
  for (const char* address : {"127.0.0.1", "127.1.2.3", "::1", "::ffff:127.0.0.1"}) {
    EXPECT_TRUE(is_here(address)) << address;
  }
  for (const char* address : {"10.0.0.1", "0.0.0.0", "::2", "::ffff:10.0.0.1", "fe80::1"}) {
    EXPECT_FALSE(is_here(address)) << address;
  }
}

TEST(Peer, IsOnThisMachineOverAUnixSocket) {
  sockaddr_un address = {};
  address.sun_family = AF_UNIX;
  EXPECT_TRUE(is_on_this_machine(reinterpret_cast<const sockaddr*>(&address)));
}

TEST(Peer, IsThereUntilItClosesItsEnd) {
  int ends[2];
  ASSERT_EQ(::socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
  EXPECT_EQ(peer_state(ends[0]), PeerState::kThere);
  EXPECT_EQ(::write(ends[1], "a", 1), 1);
  EXPECT_EQ(peer_state(ends[0]), PeerState::kThere);
  ::shutdown(ends[1], SHUT_WR);
  EXPECT_EQ(peer_state(ends[0]), PeerState::kHalfClosed);  // also behind bytes that are not read
  ::close(ends[1]);
  EXPECT_EQ(peer_state(ends[0]), PeerState::kGone);
  ::close(ends[0]);
}

}  // namespace
}  // namespace iris::serve
