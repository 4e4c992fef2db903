// What decoding costs: `decoding COPIES IMAGE...`. The code of the images, so many times one behind the other, is decoded
// for the fast loop from its first byte to its last, block by block, as execution would come to it. In memory that the
// host gives as it is touched (a new machine's), and again in the same memory. Medians, in nanoseconds an instruction.
#include <time.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <memory>
#include <span>
#include <vector>

#include "vm-ext/image/image.h"
#include "vm-ext/machine/code.h"

namespace {

using namespace comet;

double now() {
  timespec time{};
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
  return static_cast<double>(time.tv_sec) * 1e9 + static_cast<double>(time.tv_nsec);
}

double median(std::vector<double> values) {
  std::nth_element(values.begin(), values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2), values.end());
  return values[values.size() / 2];
}

using Bytes = std::vector<std::uint8_t>;

std::vector<Bytes> code_of(const char* path) {
  std::ifstream file(path, std::ios::binary);
  const Bytes bytes((std::istreambuf_iterator<char>(file)), {});
  Image image;
  read_image(bytes.data(), bytes.size(), image);
  std::vector<Bytes> code;
  for (const Section& section : image.sections())
    if ((section.protection & protection_execute) != 0) code.push_back(section.bytes);
  return code;
}

struct Program {
  AddressSpace memory{std::uint64_t{4} << 30, std::make_shared<PageBudget>(PageBudget{65536}), HostMemory()};
  InstructionSet instructions;
  std::uint64_t end = page_size; // of the code
  std::vector<std::pair<std::uint64_t, std::uint64_t>> ranges; // of it

  void add(const Bytes& code) {
    const std::uint64_t mapped = (end + page_mask) & ~page_mask, wanted = (end + code.size() + page_mask) & ~page_mask;
    if (wanted > mapped) memory.map(mapped, wanted - mapped, protection_read | protection_execute);
    memory.write(end, code.data(), code.size());
    ranges.emplace_back(end, end + code.size());
    end += code.size();
  }
};

// Where blocks begin if execution goes through all of the code.
std::vector<std::uint64_t> blocks_of(Program& program) {
  CodeCache cache(program.memory, program.instructions);
  std::vector<std::uint64_t> begins;
  std::uint64_t end = 0;
  cache.block_observer = [&](std::span<const CodeCache::BlockInstruction> block) { end = cache.address_of(block.back().slot); };
  for (auto [at, range_end] : program.ranges)
    while (at < range_end) {
      begins.push_back(at);
      cache.slot_at(at);
      const CodeCache::Fetched& last = cache.fetch(end);
      at = end + std::max<std::uint64_t>(last.decoded.length, 1);
    }
  return begins;
}

} // namespace

int main(int count, char** arguments) {
  const int copies = count > 2 ? std::atoi(arguments[1]) : 0;
  if (copies < 1) {
    std::fputs("usage: decoding COPIES IMAGE...\n", stderr);
    return 2;
  }
  Program program;
  for (int copy = 0; copy < copies; ++copy)
    for (int i = 2; i < count; ++i)
      for (const Bytes& code : code_of(arguments[i])) program.add(code);
  const std::vector<std::uint64_t> begins = blocks_of(program);
  program.memory.forget_code();

  std::vector<double> cold, warm;
  double instructions = 0, bytes = 0;
  for (int round = 0; round < 15; ++round) {
    CodeCache cache(program.memory, program.instructions);
    for (std::vector<double>* times : {&cold, &warm}) {
      const std::uint64_t before = cache.decoded_count();
      const double begin = now();
      for (const std::uint64_t at : begins) cache.slot_at(at);
      const double end = now();
      instructions = static_cast<double>(cache.decoded_count() - before);
      bytes = static_cast<double>(cache.bytes());
      times->push_back((end - begin) / instructions);
      cache.forget();
    }
  }
  std::printf("decoding %.0f instructions in %zu blocks: %.1f ns an instruction in new memory, %.1f ns in used memory, %.1f bytes\n",
              instructions, begins.size(), median(cold), median(warm), bytes / instructions);
  return 0;
}
