// Prints the instruction list of README.md from the table. `make manual` puts it there.
#include <cstdio>
#include <cstring>
#include <string>

#include "isa.h"

namespace {

using comet::isa::Instruction;

const char* const letters = "abc";

std::string syntax(const Instruction& instruction) {
  std::string text = instruction.name;
  for (std::size_t i = 0; instruction.operands[i] != 0; ++i) {
    text += i == 0 ? " " : ", ";
    text += letters[i];
  }
  return text;
}

const struct {
  const char* group;
  const char* title;
} groups[] = {{"control", "Control"},        {"constant", "Constants and moves"}, {"memory", "Loads, stores, blocks"},
              {"integer", "64-bit integers"}, {"integer32", "32-bit integers"},    {"branch", "Compare and branch"},
              {"float64", "f64"},             {"float32", "f32"},                  {"convert", "Conversions"},
              {"atomic", "Atomics"}};

} // namespace

int main() {
  std::size_t listed = 0;
  for (const auto& group : groups) {
    std::printf("### %s\n\n| opcode | instruction | operands | meaning |\n|---:|---|---|---|\n", group.title);
    for (std::size_t rank = 0; rank < comet::isa::operation_count; ++rank) {
      const Instruction& instruction = comet::isa::by_rank(rank);
      if (std::strcmp(instruction.group, group.group) != 0) continue;
      std::printf("| %u | `%s` | %s | %s |\n", unsigned{instruction.opcode}, syntax(instruction).c_str(),
                  instruction.operands, instruction.meaning);
      ++listed;
    }
    std::printf("\n");
  }
  if (listed == comet::isa::operation_count) return 0;
  std::fprintf(stderr, "manual: a group of instructions.def has no title in manual.cpp\n");
  return 1;
}
