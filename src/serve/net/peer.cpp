#include "serve/net/peer.h"

#include <netinet/in.h>
#include <poll.h>

#include <boost/asio/ip/address.hpp>
#include <cstring>

namespace iris::serve {

bool is_on_this_machine(const sockaddr* address) {
  if (address->sa_family == AF_INET) {
    in_addr v4 = reinterpret_cast<const sockaddr_in*>(address)->sin_addr;
    return boost::asio::ip::address_v4(ntohl(v4.s_addr)).is_loopback();
  }
  if (address->sa_family == AF_INET6) {
    boost::asio::ip::address_v6::bytes_type bytes;
    std::memcpy(bytes.data(), &reinterpret_cast<const sockaddr_in6*>(address)->sin6_addr, bytes.size());
    const boost::asio::ip::address_v6 v6(bytes);
    return v6.is_v4_mapped() ? boost::asio::ip::make_address_v4(boost::asio::ip::v4_mapped, v6).is_loopback()
                             : v6.is_loopback();
  }
  return address->sa_family == AF_UNIX;
}

PeerState peer_state(int socket) {
  pollfd peer = {socket, POLLRDHUP, 0};
  ::poll(&peer, 1, 0);
  if ((peer.revents & (POLLERR | POLLHUP)) != 0) {
    return PeerState::kGone;
  }
  return (peer.revents & POLLRDHUP) != 0 ? PeerState::kHalfClosed : PeerState::kThere;
}

}  // namespace iris::serve
