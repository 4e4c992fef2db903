// What machines cost who embeds many of them: `embedding [MACHINES]`. Each line is a figure; those of time are medians.
#include <comet.hpp>

#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <thread>

using comet::n;
using comet::r;
using comet::to;

namespace {

constexpr uint64_t origin = 0x10000, data = 0x20000;

double now() {
  timespec time{};
  clock_gettime(CLOCK_MONOTONIC, &time);
  return static_cast<double>(time.tv_sec) * 1e6 + static_cast<double>(time.tv_nsec) / 1e3;
}

double median(std::vector<double> values) {
  std::nth_element(values.begin(), values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2), values.end());
  return values[values.size() / 2];
}

// Bytes of this process that are in memory.
double resident() {
  long pages = 0, skipped = 0;
  std::FILE* const file = std::fopen("/proc/self/statm", "r");
  if (file == nullptr || std::fscanf(file, "%ld %ld", &skipped, &pages) != 2) pages = 0;
  if (file != nullptr) std::fclose(file);
  return static_cast<double>(pages) * static_cast<double>(sysconf(_SC_PAGESIZE));
}

// Counts r1 down to 0, and stores at r2.
comet::byte_vector counting() {
  comet::code code(origin);
  const comet_label loop = code.here();
  code.emit("addi", {r(1), r(1), n(-1)}).emit("bnei", {r(1), n(0), to(loop)}).emit("st64", {r(2), r(2), n(0)}).emit("halt");
  return code.finish();
}

comet_config small() {
  comet_config config = COMET_CONFIG_INIT;
  config.window = 1 << 20;
  config.register_limit = 4096;
  config.call_depth_limit = 256;
  return config;
}

comet::machine loaded(const comet_config& config) {
  comet::machine machine(config);
  machine.map(origin, 1, COMET_READ | COMET_EXECUTE);
  machine.map(data, 4 * COMET_PAGE_SIZE, COMET_READ | COMET_WRITE);
  machine.write(origin, counting());
  machine.write(data, comet::byte_vector(4 * COMET_PAGE_SIZE, 1));
  machine.restart(origin);
  machine.set_register(1, 1000);
  machine.set_register(2, data);
  return machine;
}

void make_and_fork(size_t count) {
  std::vector<comet::machine> machines;
  std::vector<double> times;
  machines.reserve(count);
  const double before = resident();
  constexpr size_t made = 1000; // as they are unless told otherwise, with a window of 4 GiB each
  for (size_t i = 0; i < made; ++i) {
    const double begin = now();
    machines.emplace_back();
    times.push_back(now() - begin);
  }
  std::printf("a machine at rest: %.1f KB resident\n", (resident() - before) / made / 1024);
  std::printf("making a machine: %.1f us\n", median(times));
  machines.clear();

  const comet::machine warm = loaded(small());
  const comet::state state = warm.capture();
  times.clear();
  const double alive = resident();
  for (size_t i = 0; i < count; ++i) {
    const double begin = now();
    machines.push_back(warm.fork(state));
    times.push_back(now() - begin);
  }
  std::printf("forking a warm machine of 5 pages with content: %.1f us\n", median(times));
  const double begin = now();
  for (comet::machine& machine : machines) machine.run();
  std::printf("%zu machines alive, each of which ran and wrote: %.1f KB resident a machine, run in %.1f us each\n", count,
              (resident() - alive) / 1024 / static_cast<double>(count), (now() - begin) / static_cast<double>(count));
}

int count_bytes(void* total, const void*, size_t length) {
  *static_cast<uint64_t*>(total) += length;
  return 0;
}

void checkpoint() {
  constexpr uint64_t length = uint64_t{256} << 20, pages = length / COMET_PAGE_SIZE;
  comet::machine machine;
  machine.map(data, length, COMET_READ | COMET_WRITE);
  comet::byte_vector page(COMET_PAGE_SIZE);
  for (uint64_t i = 0; i < pages; ++i) {
    for (size_t at = 0; at < page.size(); ++at) page[at] = static_cast<uint8_t>(at * 7 + i);
    machine.write(data + i * COMET_PAGE_SIZE, page);
  }
  uint64_t bytes = 0;
  comet_state* kept = nullptr;
  comet::detail::checked(comet_state_save, machine.get(), nullptr, count_bytes, static_cast<void*>(&bytes), &kept);
  for (uint64_t i = 0; i < pages; i += 100) machine.write(data + i * COMET_PAGE_SIZE, &i, sizeof i);
  comet_save_options options = COMET_SAVE_OPTIONS_INIT;
  options.base = kept;
  uint64_t changed = 0;
  const double begin = now();
  comet::detail::checked(comet_state_save, machine.get(), &options, count_bytes, static_cast<void*>(&changed), nullptr);
  std::printf("a checkpoint of 256 MiB of which 1 %% of the pages changed: %.2f %% of the bytes, %.0f ms\n",
              100 * static_cast<double>(changed) / static_cast<double>(bytes), (now() - begin) / 1000);
  comet_state_free(kept);
}

// The same work for each of so many threads; how long all took.
double on_threads(unsigned count) {
  std::vector<comet::machine> machines;
  for (unsigned i = 0; i < count; ++i) {
    machines.push_back(loaded(small()));
    machines.back().set_register(1, 400'000'000);
  }
  std::vector<std::thread> threads;
  const double begin = now();
  for (comet::machine& machine : machines) threads.emplace_back([&machine] { machine.run(); });
  for (std::thread& thread : threads) thread.join();
  return now() - begin;
}

// One machine with so many threads, each with the same work. None comes to its end, as that would be the run's.
double in_parallel(unsigned count) {
  constexpr uint64_t work = 800'000'000;
  comet::machine machine = loaded(small());
  machine.set_register(1, ~uint64_t{0});
  for (unsigned i = 1; i < count; ++i) machine.set_register(1, ~uint64_t{0}, machine.new_thread(origin));
  machine.set_host_threads(count);
  const double begin = now();
  machine.run(work * count, COMET_EVERY_THREAD);
  return now() - begin;
}

} // namespace

int main(int count, char** arguments) {
  try {
    make_and_fork(count > 1 ? std::strtoul(arguments[1], nullptr, 10) : 10000);
    checkpoint();
    const unsigned cores = std::max(1u, std::thread::hardware_concurrency());
    const double one = on_threads(1), all = on_threads(cores);
    std::printf("%u machines on %u threads: %.2f times the work of one in the same time\n", cores, cores, one * cores / all);
    const double alone = in_parallel(1), together = in_parallel(cores);
    std::printf("%u threads of one machine on %u threads: %.2f times the work of one in the same time\n", cores, cores,
                alone * cores / together);
  } catch (const std::exception& exception) {
    std::fprintf(stderr, "embedding: %s\n", exception.what());
    return 1;
  }
  return 0;
}
