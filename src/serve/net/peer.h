// Who is at the other end of a connection.
#pragma once

#include <sys/socket.h>

namespace iris::serve {

// Over the loopback interface or a Unix socket.
bool is_on_this_machine(const sockaddr* address);

enum class PeerState {
  kThere,
  kHalfClosed,  // it sends no more, and may still read
  kGone,        // it reads no more
};

// Of a connected socket. Does not wait, and reads nothing.
PeerState peer_state(int socket);

}  // namespace iris::serve
