#include "records.h"

#include <algorithm>
#include <cinttypes>

#include "../api/guard.h"
#include "../image/checksum.h"
#include "format.h"

namespace comet {
namespace {

constexpr FileWords state_words{"state", "save it again", "field"};

size_t padding(uint64_t length) {
  return static_cast<size_t>((state_format::alignment - length % state_format::alignment) %
                             state_format::alignment);
}

bool letter(uint32_t byte) { return (byte >= 'A' && byte <= 'Z') || (byte >= 'a' && byte <= 'z'); }

std::string type_name(uint32_t type) {
  std::string letters;
  for (int i = 0; i < 4; ++i, type >>= 8)
    letters += static_cast<char>(letter(type & 0xff) ? type & 0xff : '?');
  return letters;
}

}  // namespace

// ---- writing ---------------------------------------------------------------------------------------

void RecordWriter::give(const std::vector<uint8_t>& bytes) {
  if (sink_(data_, bytes.data(), bytes.size()) != 0) {
    fail(COMET_ERROR_SYSTEM, 0, "the state was not saved: whoever takes its bytes refused %zu of them",
         bytes.size());
  }
}

void RecordWriter::header(uint32_t kind) {
  Payload header;
  header.put_bytes(state_format::magic.data(), state_format::magic.size());
  header.put(state_format::version, 4);
  header.put(kind, 4);
  checksum_ = checksum_of(header.bytes().data(), header.bytes().size());
  give(header.bytes());
}

void RecordWriter::record(uint32_t type, const Payload& payload) {
  Payload record;
  record.put(type, 4);
  record.put(0, 4);
  record.put(payload.bytes().size(), 8);
  record.put_bytes(payload.bytes().data(), payload.bytes().size());
  record.put(0, padding(payload.bytes().size()));
  checksum_ = checksum_of(record.bytes().data(), record.bytes().size(), checksum_);
  record.put(checksum_, state_format::checksum_length);
  give(record.bytes());
}

// ---- reading ---------------------------------------------------------------------------------------

uint32_t RecordReader::kind(std::span<const uint8_t> file) {
  const auto& magic = state_format::magic;
  if (file.size() < magic.size() || !std::equal(magic.begin(), magic.end(), file.begin())) {
    fail(COMET_ERROR_FORMAT, 0,
         "not a state of Comet VM: the first 8 bytes are not 89 43 4d 53 0d 0a 1a 0a; give a file that was "
         "saved as one, "
         "and copied in binary mode");
  }
  Fields header(state_words, file, magic.size(), file.size() - magic.size(), "header");
  const uint64_t version = header.take(4, "the version");
  if (version != state_format::version) {
    fail(COMET_ERROR_FORMAT, magic.size(),
         "the state has version %" PRIu64 " of the format, this library reads version %" PRIu32
         "; use a matching Comet VM",
         version, state_format::version);
  }
  const uint64_t kind = header.take(4, "the kind");
  if (kind != state_format::kind_state && kind != state_format::kind_recording)
    header.fail_at(magic.size() + 4, "there is no kind %" PRIu64 " of files", kind);
  return static_cast<uint32_t>(kind);
}

RecordReader::RecordReader(std::span<const uint8_t> file)
    : file_(file),
      offset_(state_format::header_length),
      checksum_(checksum_of(file.data(), state_format::header_length)) {}

std::optional<Record> RecordReader::next() {
  const uint64_t rest = file_.size() - offset_;
  if (rest == 0) return std::nullopt;
  constexpr uint64_t least = state_format::record_header_length + state_format::checksum_length;
  uint64_t length = 0;
  if (rest >= least) {
    Fields header(state_words, file_, offset_ + 8, 8, "a record's header");
    length = header.take(8, "the length");
  }
  if (rest < least || length > rest - least || padding(length) > rest - least - length) {
    torn_ = true;
    return std::nullopt;
  }
  Fields header(state_words, file_, offset_, 8, "a record's header");
  const auto type = static_cast<uint32_t>(header.take(4, "the type"));
  const std::string where = "record " + type_name(type);
  const uint64_t checked = state_format::record_header_length + length + padding(length);
  checksum_ = checksum_of(file_.data() + offset_, checked, checksum_);
  const uint64_t content = offset_ + state_format::record_header_length;
  Fields trailer(state_words, file_, content + length, padding(length) + state_format::checksum_length,
                 where);
  const uint8_t* zeros = trailer.take_bytes(padding(length), "padding");
  if (trailer.take(state_format::checksum_length, "the checksum") != checksum_) {
    fail(COMET_ERROR_FORMAT, offset_,
         "the state is damaged: the checksum of %s at offset %" PRIu64
         " is another; copy it or save it again",
         where.c_str(), offset_);
  }
  header.take_zeros(4);
  for (uint32_t rest_of_type = type, i = 0; i < 4; ++i, rest_of_type >>= 8)
    if (!letter(rest_of_type & 0xff)) header.fail_at(offset_, "a record's type is not four ASCII letters");
  if (std::any_of(zeros, zeros + padding(length), [](uint8_t byte) { return byte != 0; }))
    trailer.fail_at(content + length, "a byte behind the record is not 0");
  const uint64_t at = offset_;
  offset_ = content + length + padding(length) + state_format::checksum_length;
  return Record{type, at, Fields(state_words, file_, content, length, where)};
}

}  // namespace comet
