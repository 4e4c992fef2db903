// A calculator whose functions are plug-ins that nobody has to trust, in C++ over comet.hpp.
//
//   c++ -std=c++17 calculator.cpp -o calculator $(pkg-config --cflags --libs comet-vm) && ./calculator
//
// A plug-in is an image: its functions are its symbols, take their arguments in r1, r2, ... and give their result in r1,
// all as f64. It may call `sqrt`, and nothing else of the host. What it does wrong is told with the place, and the
// calculator goes on. Images come from files in a real host; here they are written by comet::code.
#include <comet.hpp>

#include <cinttypes>
#include <cmath>
#include <cstdio>
#include <map>

using comet::n;
using comet::r;

namespace {

constexpr uint64_t origin = 0x10000;

// hypot(a, b), harmonic(n), and two that are of no use.
comet::byte_vector plugin() {
  comet::code code(origin);
  const comet_label hypot = code.here();
  code.emit("fmul", {r(1), r(1), r(1)}).emit("fmul", {r(2), r(2), r(2)}).emit("fadd", {r(11), r(1), r(2)});
  code.emit("hcall", {r(10), n(0)}); // sqrt of r11, into r11
  code.emit("mov", {r(1), r(11)}).emit("ret");

  const comet_label harmonic = code.here();
  code.emit("fimm", {r(2), comet::f64(0)}).emit("fimm", {r(3), comet::f64(1)}).emit("mov", {r(4), r(3)});
  const comet_label loop = code.here(), done = code.label();
  code.emit("bflt", {r(1), r(4), comet::to(done)});
  code.emit("fdiv", {r(5), r(3), r(4)}).emit("fadd", {r(2), r(2), r(5)}).emit("fadd", {r(4), r(4), r(3)});
  code.emit("jump", {comet::to(loop)});
  code.place(done).emit("mov", {r(1), r(2)}).emit("ret");

  const comet_label forever = code.here();
  code.emit("jump", {comet::to(forever)});
  const comet_label thief = code.here();
  code.emit("imm", {r(2), n(0x7fff0000)}).emit("ldu64", {r(1), r(2), n(0)}).emit("ret");

  comet::image image;
  image.section(".text", origin, code.finish(), COMET_READ | COMET_EXECUTE).import("sqrt").entry(origin);
  image.symbol("hypot", code.address(hypot)).symbol("harmonic", code.address(harmonic));
  image.symbol("forever", code.address(forever)).symbol("thief", code.address(thief));
  return image.write();
}

class calculator {
 public:
  explicit calculator(const comet::byte_vector& file) : image_(comet::image::read(file)) {
    comet_grant_options paid = COMET_GRANT_OPTIONS_INIT;
    paid.fuel = 20;
    for (const char* group : {"exit", "streams", "arguments", "memory"})
      comet_host_revoke_standard(machine_.get(), group, nullptr);
    machine_.grant("sqrt", [](double x) { return std::sqrt(x); }, paid);
    machine_.load(image_);
  }

  void show(const char* name, std::initializer_list<double> arguments) {
    std::printf("%s(", name);
    const char* between = "";
    for (const double argument : arguments) std::printf("%s%g", std::exchange(between, ", "), argument);
    std::printf(") = %s\n", evaluate(name, arguments).c_str());
  }

 private:
  std::string evaluate(const char* name, std::initializer_list<double> arguments) {
    comet_symbol function = COMET_SYMBOL_INIT;
    if (comet_image_find_symbol(image_.get(), name, &function, nullptr) != COMET_OK) return "no such function";
    const comet::snapshot clean = machine_.snapshot(); // a function leaves nothing behind
    machine_.restart(function.value);
    uint64_t index = 0;
    for (const double argument : arguments) machine_.set_register(++index, comet::f64(argument).value);
    const comet_stop stop = machine_.run(1'000'000);
    std::string result;
    if (stop.reason == COMET_HALTED) {
      const uint64_t bits = machine_.get_register(1);
      double value = 0;
      std::memcpy(&value, &bits, sizeof value);
      char text[40];
      std::snprintf(text, sizeof text, "%.12g, for %" PRIu64 " fuel", value, stop.fuel);
      result = text;
    } else {
      result = std::string(comet_reason_name(stop.reason)) + (stop.reason == COMET_TRAP ? std::string(": ") + stop.message : "") +
               ", at " + comet::describe_place(image_.get(), stop.pc);
    }
    clean.restore();
    return result;
  }

  comet::image image_;
  comet::machine machine_;
};

} // namespace

int main() {
  try {
    calculator plugins(plugin());
    plugins.show("hypot", {3, 4});
    plugins.show("harmonic", {1000});
    plugins.show("forever", {});
    plugins.show("thief", {});
    plugins.show("tangent", {1});
    plugins.show("hypot", {5, 12});
  } catch (const std::exception& exception) {
    std::fprintf(stderr, "calculator: %s\n", exception.what());
    return 1;
  }
  return 0;
}
