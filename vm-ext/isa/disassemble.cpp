// Bytes to text, in the notation that the assembler reads.
#include <bit>
#include <charconv>
#include <cmath>
#include <cstdio>

#include "definitions.h"

namespace comet::isa {
namespace {

std::string hexadecimal(std::uint64_t value) {
  char digits[24];
  std::snprintf(digits, sizeof digits, "0x%llx", static_cast<unsigned long long>(value));
  return digits;
}

// The shortest decimal that reads back as the same number; hexadecimal bits for what has no decimal.
template <class Float, class Bits> std::string real(Bits bits) {
  const Float value = std::bit_cast<Float>(bits);
  if (!std::isfinite(value)) return "(bits " + hexadecimal(bits) + ")";
  char digits[48];
  const auto end = std::to_chars(digits, digits + sizeof digits, value).ptr;
  std::string text(digits, end);
  if (text.find_first_of(".e") == std::string::npos) text += ".0";
  return text;
}

} // namespace

std::string operand_text(char kind, std::uint64_t value, std::uint64_t address) {
  switch (kind) {
    case 'd': case 's': case 'x': case 'w': return "r" + std::to_string(value);
    case 't': return "t" + std::to_string(value);
    case 'p': return hexadecimal(address + value);
    case 'i': case 'o': return std::to_string(static_cast<std::int64_t>(value));
    case 'n': value = 0 - value; break;
    case 'f': return real<double>(value);
    case 'g': return real<float>(static_cast<std::uint32_t>(value));
    default: break;
  }
  return value < 1024 ? std::to_string(value) : hexadecimal(value);
}

std::size_t disassemble(const std::uint8_t* bytes, std::size_t available, const Definitions* own, std::uint64_t address,
                        std::string& text) {
  text.clear();
  if (available == 0) return 0;
  Decoded decoded;
  if (decode(bytes, available, own, decoded) != DecodeStatus::ok) {
    text = ".byte " + hexadecimal(bytes[0]);
    return 1;
  }
  const bool defined = decoded.definition != nullptr;
  text = defined ? decoded.definition->name.c_str() : describe(decoded.operation).name;
  const char* kinds = defined ? decoded.definition->operands.c_str() : describe(decoded.operation).operands;
  for (unsigned i = 0; i < decoded.operand_count; ++i)
    text += (i == 0 ? " " : ", ") + operand_text(kinds[i], decoded.operands[i], address);
  return decoded.length;
}

} // namespace comet::isa
