#include "distributed/testing/on_ranks.h"

#include <memory>
#include <thread>
#include <vector>

#include "distributed/thread_transport.h"

namespace seqgraph {

void OnRanks(int size, const std::function<void(Communicator&)>& body) {
  std::vector<std::thread> threads;
  for (std::unique_ptr<Transport>& transport : ThreadTransports(size)) {
    threads.emplace_back([&body, given = transport.release()] {
      Communicator communicator{std::unique_ptr<Transport>(given)};
      body(communicator);
    });
  }
  for (std::thread& thread : threads) thread.join();
}

}  // namespace seqgraph
