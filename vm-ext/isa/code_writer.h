// Names and operands to bytes: decoding the other way round, over the same table.
//
// What is written is kept as items until `finish` lays them out. Layout begins with every field in its shortest form
// and lets fields grow, never shrink, until no address moves: so it ends, and with the shortest encodings but where an
// alignment in between has taken room back; there a field is longer than it had to be, which is legal.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "definitions.h"

namespace comet::isa {

struct Operand {
  enum class Kind : std::uint8_t { window_register, thread_register, number, label };
  Kind kind;
  std::uint64_t value;
};

// Every function fails with COMET_ERROR_ARGUMENT, and nothing written, where its arguments make no code.
class CodeWriter {
 public:
  using Label = std::uint32_t;

  CodeWriter(std::uint64_t address, Definitions own) : address_(address), own_(std::move(own)) {}

  Label new_label();
  void place(Label label);
  void emit(std::string_view name, const Operand* operands, std::size_t count);
  void emit(std::uint64_t opcode, const Operand* operands, std::size_t count);
  void bytes(const std::uint8_t* bytes, std::size_t length);
  // The label's address, or its distance from `base`.
  void address_of(Label label, std::optional<Label> base, std::size_t length);
  void align(std::uint64_t alignment);
  void pad_to(std::uint64_t address);

  const std::vector<std::uint8_t>& finish();
  // Of finished code.
  std::uint64_t label_address(Label label) const;

 private:
  struct Item {
    enum class Kind : std::uint8_t { instruction, bytes, address, alignment, padding };
    Kind kind;
    std::uint8_t operand_count = 0;
    bool relative = false;          // instruction: a label means how far it is; address: the distance from `base`
    std::uint64_t value = 0;        // opcode; alignment; address to pad to; label
    std::size_t first = 0;          // bytes: where they stand in data_; address: the base
    std::size_t length = 0;         // of bytes, known or as laid out so far
    std::uint64_t at = 0;           // its address, as laid out so far
    Operand operands[max_operands] = {};
  };
  struct Shape { // of an instruction: the table's or the user's
    const char* name;
    const char* operands;
    const Definition* definition;
  };

  Shape shape_of(std::uint64_t opcode) const;
  void require_label(Label label) const;
  void add(const Item& item);
  // A field as it is encoded, where labels lie now.
  std::uint64_t field(const Item& item, char kind, const Operand& operand) const;
  std::size_t needed(const Item& item) const;
  bool lay_out(const std::vector<std::size_t>& order);
  void check(std::size_t n) const;
  void write(const Item& item);

  static constexpr std::size_t nowhere = SIZE_MAX;

  std::uint64_t address_;
  Definitions own_;
  std::vector<Item> items_;
  std::vector<std::uint8_t> data_;
  std::vector<std::size_t> labels_;             // the item that each stands before
  std::vector<std::uint64_t> label_addresses_;  // as laid out so far
  std::vector<std::uint8_t> finished_;
  bool is_finished_ = false;
};

} // namespace comet::isa
