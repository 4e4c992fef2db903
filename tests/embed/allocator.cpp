// A program that brings its own allocator: it replaces operator new, as C++ lets every program do, and the shared library
// allocates with it. What it refuses comes back as an error, and what it gave comes back in the end.
#include <comet.hpp>

#include <cstdio>
#include <cstdlib>
#include <new>

namespace {

long live = 0, made = 0;
bool refuse = false;

void* allocate(std::size_t size) {
  if (refuse) return nullptr;
  ++live;
  ++made;
  return std::malloc(size == 0 ? 1 : size);
}

} // namespace

void* operator new(std::size_t size) {
  if (void* const memory = allocate(size)) return memory;
  throw std::bad_alloc();
}
void* operator new(std::size_t size, const std::nothrow_t&) noexcept { return allocate(size); }
void operator delete(void* memory) noexcept {
  if (memory != nullptr) --live;
  std::free(memory);
}
void operator delete(void* memory, std::size_t) noexcept { operator delete(memory); }
void operator delete(void* memory, const std::nothrow_t&) noexcept { operator delete(memory); }

int main() {
  const long before = live;
  {
    comet::machine machine;
    machine.map(0x10000, COMET_PAGE_SIZE, COMET_READ | COMET_WRITE);
    comet::code code(0x10000);
    code.emit("imm", {comet::r(1), comet::n(5)}).emit("halt");
    machine.write(0x10000, code.finish());
    machine.grant("a-host-call-of-a-long-name", [](uint64_t x) { return x; });
    const comet::state captured = machine.capture();
    const comet::machine fork = machine.fork(captured);
    if (made == 0 || live == before) return std::puts("the library did not ask for memory here"), 1;
    comet_error error = COMET_ERROR_INIT;
    comet_machine* refused = nullptr;
    refuse = true;
    const comet_status status = comet_machine_new(nullptr, &refused, &error);
    refuse = false;
    if (status != COMET_ERROR_MEMORY || refused != nullptr) return std::puts("a refusal is no error"), 1;
  }
  if (live != before) return std::printf("%ld blocks did not come back\n", live - before), 1;
  return 0;
}
