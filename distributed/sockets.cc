#include "distributed/sockets.h"

#include <arpa/inet.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <netdb.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <utility>

#include "absl/strings/str_join.h"
#include "base/status_macros.h"

namespace seqgraph {
namespace {

// Of an interface, in numbers, such as others can use; empty: none.
std::string AddressOf(const struct ifaddrs& interface) {
  const struct sockaddr* address = interface.ifa_addr;
  if (address == nullptr || (interface.ifa_flags & IFF_UP) == 0) return "";
  const bool is_new = address->sa_family == AF_INET6;
  if (!is_new && address->sa_family != AF_INET) return "";
  // Those of one link alone need its name, which differs from machine to machine.
  if (is_new &&
      IN6_IS_ADDR_LINKLOCAL(&reinterpret_cast<const struct sockaddr_in6*>(address)->sin6_addr)) {
    return "";
  }
  char text[NI_MAXHOST];
  const socklen_t size = is_new ? sizeof(struct sockaddr_in6) : sizeof(struct sockaddr_in);
  const int error = ::getnameinfo(address, size, text, sizeof(text), nullptr, 0, NI_NUMERICHOST);
  return error == 0 ? text : "";
}

std::vector<std::string> OwnAddresses() {
  std::vector<std::string> reachable, local;
  struct ifaddrs* all = nullptr;
  if (::getifaddrs(&all) != 0) return {};
  for (const struct ifaddrs* each = all; each != nullptr; each = each->ifa_next) {
    const std::string address = AddressOf(*each);
    if (address.empty()) continue;
    ((each->ifa_flags & IFF_LOOPBACK) != 0 ? local : reachable).push_back(address);
  }
  ::freeifaddrs(all);
  reachable.insert(reachable.end(), local.begin(), local.end());
  return reachable;
}

// Open, and on its way to that address.
Socket BeginToConnect(const std::string& address, int port) {
  struct addrinfo hints = {};
  hints.ai_flags = AI_NUMERICHOST | AI_NUMERICSERV;
  hints.ai_socktype = SOCK_STREAM;
  struct addrinfo* found = nullptr;
  if (::getaddrinfo(address.c_str(), absl::StrCat(port).c_str(), &hints, &found) != 0) {
    return Socket();
  }
  Socket socket(::socket(found->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (::connect(socket.fd(), found->ai_addr, found->ai_addrlen) != 0 && errno != EINPROGRESS) {
    socket.Close();
  }
  ::freeaddrinfo(found);
  return socket;
}

void WithoutDelay(const Socket& socket) {
  const int on = 1;
  ::setsockopt(socket.fd(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
}

}  // namespace

Socket& Socket::operator=(Socket&& other) {
  std::swap(fd_, other.fd_);
  return *this;
}

void Socket::Close() {
  if (fd_ >= 0) ::close(fd_);
  fd_ = -1;
}

void Socket::Send(absl::string_view bytes) {
  if (!is_open()) return;
  while (::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL | MSG_DONTWAIT) < 0 &&
         errno == EINTR) {
  }
}

bool Socket::Receive(std::string* bytes) {
  char block[4096];
  for (int i = 0; i < 16; ++i) {  // whoever sends without end does not keep us
    const ssize_t got = ::recv(fd_, block, sizeof(block), MSG_DONTWAIT);
    if (got > 0) {
      bytes->append(block, static_cast<size_t>(got));
    } else if (got == 0 || (errno != EAGAIN && errno != EINTR)) {
      return false;
    } else if (errno == EAGAIN) {
      break;
    }
  }
  return true;
}

absl::StatusOr<Listener> Listen() {
  Listener listener;
  const int off = 0;
  struct sockaddr_in6 address = {};  // any address, any port
  address.sin6_family = AF_INET6;
  socklen_t size = sizeof(address);
  listener.socket = Socket(::socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  ::setsockopt(listener.socket.fd(), IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof(off));
  if (::bind(listener.socket.fd(), reinterpret_cast<struct sockaddr*>(&address), size) != 0) {
    // A machine without IPv6. The port has the same place in both forms.
    listener.socket = Socket(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
    address.sin6_family = AF_INET;
    size = sizeof(struct sockaddr_in);
    if (::bind(listener.socket.fd(), reinterpret_cast<struct sockaddr*>(&address), size) != 0) {
      return Unavailable("no port for the other ranks of the job: ", std::strerror(errno));
    }
  }
  if (::listen(listener.socket.fd(), SOMAXCONN) != 0 ||
      ::getsockname(listener.socket.fd(), reinterpret_cast<struct sockaddr*>(&address), &size) !=
          0) {
    return Unavailable("no port for the other ranks of the job: ", std::strerror(errno));
  }
  listener.port = ntohs(address.sin6_port);
  listener.addresses = OwnAddresses();
  return listener;
}

Socket Accept(const Listener& listener) {
  Socket socket(::accept4(listener.socket.fd(), nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK));
  if (socket.is_open()) WithoutDelay(socket);
  return socket;
}

absl::StatusOr<Socket> Connect(const std::vector<std::string>& addresses, int port,
                               std::chrono::milliseconds timeout) {
  const auto end = std::chrono::steady_clock::now() + timeout;
  std::vector<Socket> tried;
  for (const std::string& address : addresses) {
    Socket socket = BeginToConnect(address, port);
    if (socket.is_open()) tried.push_back(std::move(socket));
  }
  while (!tried.empty()) {
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(
        end - std::chrono::steady_clock::now());
    if (left.count() <= 0) break;
    std::vector<struct pollfd> polled;
    for (const Socket& socket : tried) polled.push_back({socket.fd(), POLLOUT, 0});
    ::poll(polled.data(), polled.size(), static_cast<int>(left.count()));
    for (size_t i = polled.size(); i-- > 0;) {
      if (polled[i].revents == 0) continue;
      int error = 0;
      socklen_t size = sizeof(error);
      ::getsockopt(tried[i].fd(), SOL_SOCKET, SO_ERROR, &error, &size);
      if (error == 0) {
        WithoutDelay(tried[i]);
        return std::move(tried[i]);
      }
      tried.erase(tried.begin() + static_cast<std::ptrdiff_t>(i));
    }
  }
  return Unavailable("no TCP connection to port ", port, " of any of ",
                     absl::StrJoin(addresses, ", "), ": does a firewall stand between them?");
}

}  // namespace seqgraph
