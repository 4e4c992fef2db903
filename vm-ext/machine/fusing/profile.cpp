// What the fast loop executes, for choose.cpp: runs programs, and looks where they are after random numbers of
// instructions.
//
//   profile OUTPUT IMAGE...        standard input and output are the programs' own
//
// A line of the output is a stretch of instructions that stand one behind the other in a block and may be parts
// of a fused handler: the program's name, then, for each instruction, how many of a million that the program
// executed it was, and its part. Behind a call of a function that may return at once (CodeCache::look_into_callee)
// stands of how many in a million calls the function does: "N returns".
#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <map>
#include <string>
#include <vector>

#include "../fast.h"
#include "../machine.h"

namespace comet {
namespace {

constexpr std::uint64_t samples = 100000;
constexpr std::uint64_t longest_run = 2'000'000'000;

std::string name_of(PartKey part) {
  const bool early = part > no_part;
  const unsigned number = early ? part - early_call_key(isa::Operation{}) : part;
  return std::string(early ? "part_call_" : "part_") + isa::describe(static_cast<isa::Operation>(number / 4)).name + "<" +
         std::to_string(number % 4) + ">";
}

struct Instruction {
  std::uint64_t address;
  PartKey part;
  std::uint64_t callee = 0, behind_branch = 0; // of an early call; 0: it is none
};

class Profile {
 public:
  explicit Profile(const char* path) {
    comet_config config = COMET_CONFIG_INIT;
    check(comet_machine_new(&config, &machine_, &error_));
    std::ifstream file(path, std::ios::binary);
    const std::string bytes((std::istreambuf_iterator<char>(file)), {});
    comet_image* image = nullptr;
    check(comet_image_read(bytes.data(), bytes.size(), &image, &error_));
    check(comet_image_load(image, machine_, 0, &error_));
    comet_image_free(image);
  }
  ~Profile() { comet_machine_free(machine_); }
  Profile(const Profile&) = delete;
  Profile& operator=(const Profile&) = delete;

  void run() {
    // Blocks are those that execution comes to by itself, and not after a sample.
    auto& observer = machine_->space(0).code.block_observer;
    observer = [this](std::span<const CodeCache::BlockInstruction> block) { note(block); };
    const std::uint64_t length = instructions();
    observer = nullptr;
    const std::uint64_t step = length / samples + 1;
    std::uint64_t random = 1;
    for (;;) {
      random = random * 6364136223846793005 + 1442695040888963407;
      comet_stop stop = COMET_STOP_INIT;
      check(comet_run(machine_, 0, 1 + (random >> 33) % (2 * step), &stop, &error_));
      if (stop.reason != COMET_OUT_OF_FUEL || stop.instruction_count > longest_run) break;
      ++hits_[stop.pc];
      ++total_;
    }
  }

  void print(std::FILE* out, const char* name) const {
    for (const auto& [first, stretch] : stretches_) {
      bool worth_it = false;
      for (const Instruction& each : stretch) worth_it = worth_it || weight(each.address) >= 100;
      if (!worth_it) continue;
      std::fprintf(out, "%s", name);
      for (const Instruction& each : stretch) {
        std::fprintf(out, " %llu %s", static_cast<unsigned long long>(weight(each.address)), name_of(each.part).c_str());
        if (each.callee != 0) std::fprintf(out, " %llu returns", static_cast<unsigned long long>(returns(each)));
      }
      std::fprintf(out, "\n");
    }
  }

 private:
  void check(comet_status status) {
    if (status == COMET_OK) return;
    std::fprintf(stderr, "profile: %s\n", error_.message);
    std::exit(1);
  }

  // How many the program executes; it begins again afterwards.
  std::uint64_t instructions() {
    comet_snapshot* beginning = nullptr;
    check(comet_snapshot_take(machine_, &beginning, &error_));
    comet_stop stop = COMET_STOP_INIT;
    check(comet_run(machine_, 0, longest_run, &stop, &error_));
    check(comet_snapshot_restore(machine_, beginning, &error_));
    return stop.instruction_count;
  }

  void note(std::span<const CodeCache::BlockInstruction> block) {
    std::vector<Instruction> stretch;
    const CodeCache& code = machine_->space(0).code;
    for (const CodeCache::BlockInstruction& each : block) {
      const PartKey part = each.kind.part;
      if (part != no_part) stretch.push_back({code.address_of(each.slot), part});
      if (part > no_part) {
        const Slot* const entered = each.slot + each.slot->immediate / static_cast<std::int32_t>(sizeof(Slot));
        stretch.back().callee = each.slot[1].data;
        stretch.back().behind_branch = code.address_of(entered);
      }
      if (part == no_part || &each == &block.back()) {
        if (stretch.size() > 1) stretches_.insert({stretch.front().address, stretch});
        stretch.clear();
      }
    }
  }

  std::uint64_t hits(std::uint64_t address) const {
    const auto found = hits_.find(address);
    return found == hits_.end() ? 0 : found->second;
  }
  std::uint64_t weight(std::uint64_t address) const { return total_ == 0 ? 0 : hits(address) * 1000000 / total_; }
  // Of a million calls so many return at once.
  std::uint64_t returns(const Instruction& call) const {
    const std::uint64_t calls = hits(call.callee), entered = std::min(hits(call.behind_branch), calls);
    return calls == 0 ? 0 : (calls - entered) * 1000000 / calls;
  }

  comet_machine* machine_ = nullptr;
  comet_error error_ = COMET_ERROR_INIT;
  std::map<std::uint64_t, std::uint64_t> hits_;
  std::uint64_t total_ = 0;
  std::map<std::uint64_t, std::vector<Instruction>> stretches_; // by the address of the first
};

std::string base_name(std::string path) {
  path.erase(0, path.rfind('/') + 1);
  return path.substr(0, path.rfind('.'));
}

} // namespace
} // namespace comet

int main(int argc, char** argv) {
  if (argc < 2) return 2;
  std::FILE* const out = std::fopen(argv[1], "w");
  if (out == nullptr) {
    std::perror(argv[1]);
    return 1;
  }
  for (int n = 2; n < argc; ++n) {
    comet::Profile profile(argv[n]);
    profile.run();
    profile.print(out, comet::base_name(argv[n]).c_str());
  }
  return std::fclose(out) == 0 ? 0 : 1;
}
