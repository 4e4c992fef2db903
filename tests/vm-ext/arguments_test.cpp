// The C API refuses what is not valid, says why, and changes nothing.
#include <algorithm>
#include <cstddef>
#include <cstring>

#include "support.h"

using namespace support;

BOOST_AUTO_TEST_SUITE(arguments)

BOOST_AUTO_TEST_CASE(the_linked_version_is_the_headers) {
  BOOST_CHECK_EQUAL(std::string(comet_version()), COMET_VERSION_STRING);
}

BOOST_AUTO_TEST_CASE(freeing_null_does_nothing) {
  comet_machine_free(nullptr);
  comet_image_free(nullptr);
}

BOOST_AUTO_TEST_CASE(null_has_nothing_and_does_nothing) {
  machine vm;
  comet_code_free(nullptr);
  comet_profile_free(nullptr);
  comet_state_free(nullptr);
  comet_snapshot_free(nullptr, nullptr);
  comet_snapshot_free(vm, nullptr);
  comet_timeline_stop(nullptr);
  comet_set_log(nullptr, nullptr, nullptr);
  comet_catch_traps(nullptr, 0);
  BOOST_CHECK_EQUAL(comet_post_event(nullptr, COMET_ON_POSTED, 0, 0), COMET_ERROR_ARGUMENT);
  BOOST_CHECK_EQUAL(comet_post_event(vm, COMET_ON_TIMER, 0, 0), COMET_ERROR_ARGUMENT);
  BOOST_CHECK(comet_machine_isa(nullptr) == nullptr);
  BOOST_CHECK(comet_image_isa(nullptr) == nullptr);
  BOOST_CHECK(comet_image_import(nullptr, 0) == nullptr);
  BOOST_CHECK_EQUAL(comet_image_entry(nullptr), 0u);
  BOOST_CHECK(comet_state_image(nullptr) == nullptr);
  BOOST_CHECK(comet_state_import(nullptr, 0) == nullptr);
  BOOST_CHECK(comet_state_argument(nullptr, 0) == nullptr);
  BOOST_CHECK(comet_state_directory(nullptr, 0) == nullptr);
  comet_call_result(nullptr, 1);
  BOOST_CHECK_EQUAL(comet_call_argument(nullptr, 0), 0u);
  BOOST_CHECK(comet_call_machine(nullptr) == nullptr);
  BOOST_CHECK_EQUAL(comet_call_thread(nullptr), 0u);
  BOOST_CHECK_EQUAL(comet_call_fail(nullptr, "words"), COMET_ERROR_ARGUMENT);
  BOOST_CHECK_EQUAL(comet_call_read(nullptr, 0, nullptr, 0), COMET_ERROR_ARGUMENT);
  BOOST_CHECK_EQUAL(comet_call_write(nullptr, 0, nullptr, 0), COMET_ERROR_ARGUMENT);
  char text[8] = "before";
  BOOST_CHECK_EQUAL(comet_disassemble(nullptr, nullptr, 3, 0, text, sizeof text), 0u);
  BOOST_CHECK_EQUAL(text, std::string());
}

BOOST_AUTO_TEST_CASE(no_bytes_need_no_address) {
  machine vm;
  SUPPORT_OK(comet_read(vm, 0, data_address, nullptr, 0, error));
  SUPPORT_OK(comet_write(vm, 0, data_address, nullptr, 0, error));
  SUPPORT_OK(comet_unmap(vm, 0, data_address, 0, error));
  SUPPORT_OK(comet_set_arguments(vm, 0, nullptr, error));
  comet_code* written = nullptr;
  SUPPORT_OK(comet_code_new(nullptr, 0, &written, error));
  SUPPORT_OK(comet_code_bytes(written, nullptr, 0, error));
  comet_code_free(written);
  comet_image* image = nullptr;
  SUPPORT_OK(comet_image_new(&image, error));
  SUPPORT_OK(comet_image_add_section(image, "nothing", data_address, nullptr, 0, 0, COMET_READ, error));
  SUPPORT_OK(comet_image_load(image, vm, 0, error));
  comet_image_free(image);
  comet_region region = COMET_REGION_INIT;
  BOOST_CHECK_EQUAL(comet_next_region(vm, 0, 0, &region, nullptr), COMET_ERROR_ADDRESS);
  comet_linker* linker = nullptr;
  SUPPORT_OK(comet_linker_new(&linker, error));
  SUPPORT_FAILS(COMET_ERROR_FORMAT, comet_linker_add(linker, "nothing", nullptr, 0, error));
  comet_linker_free(linker);
  comet_definition bodiless = {sizeof bodiless, "own", 1024, "", "nothing", nullptr, 0, nullptr};
  SUPPORT_FAILS(COMET_ERROR_ARGUMENT, comet_machine_define(vm, &bodiless, error));
}

BOOST_AUTO_TEST_CASE(a_host_call_may_touch_no_bytes) {
  machine vm(code().add("hcall", {10, 0}).add("hcall", {10, 1}).add("hcall", {10, 2}));
  for (const char* name : {"mine", "none", "fail"}) vm.import(name);
  SUPPORT_OK(comet_host_grant(vm, "mine", nullptr, nullptr, error));
  SUPPORT_OK(comet_host_grant(vm, "none", [](comet_call* call, void*) {
    BOOST_CHECK_EQUAL(comet_call_read(call, 0, nullptr, 0), COMET_OK);
    BOOST_CHECK_EQUAL(comet_call_write(call, 0, nullptr, 0), COMET_OK);
    comet_call_result(call, comet_call_argument(call, UINT32_MAX));
    return COMET_OK;
  }, nullptr, error));
  SUPPORT_OK(comet_host_grant(vm, "fail", [](comet_call* call, void*) { return comet_call_fail(call, nullptr); }, nullptr, error));
  BOOST_REQUIRE_EQUAL(vm.run().reason, COMET_HOST_CALL);
  SUPPORT_OK(comet_host_read(vm, 0, 0, nullptr, 0, error));
  SUPPORT_OK(comet_host_write(vm, 0, 0, nullptr, 0, error));
  SUPPORT_OK(comet_host_complete(vm, 0, 1, error));
  vm.set(11, 5);
  comet_set_deadline(vm, UINT64_MAX);
  BOOST_CHECK_EQUAL(vm.run().trap, COMET_TRAP_HOST_CALL);
  BOOST_CHECK_EQUAL(vm.get(11), 0u);
  SUPPORT_FAILS(COMET_ERROR_ARGUMENT, comet_host_revoke(vm, "nobody", error));
  SUPPORT_FAILS(COMET_ERROR_ARGUMENT, comet_host_revoke_standard(vm, "nobody", error));
  for (const std::size_t length : {0, 5000})
    SUPPORT_FAILS(COMET_ERROR_ARGUMENT, comet_grant_directory(vm, "/", std::string(length, 'x').c_str(), COMET_READ, error));
}

// Each size of an error that somebody may have, be it of an older or a newer library.
BOOST_AUTO_TEST_CASE(an_error_fills_the_room_that_there_is_and_no_more) {
  for (const std::size_t size : {std::size_t{0}, sizeof(std::size_t), offsetof(comet_error, message), offsetof(comet_error, message) + 1,
                                 offsetof(comet_error, message) + 10, sizeof(comet_error), sizeof(comet_error) + 40}) {
    alignas(comet_error) unsigned char room[sizeof(comet_error) + 80];
    std::memset(room, 0x77, sizeof room);
    auto* const error = reinterpret_cast<comet_error*>(room);
    error->size = size;
    BOOST_CHECK_EQUAL(comet_machine_reset(nullptr, error), COMET_ERROR_ARGUMENT);
    BOOST_CHECK_EQUAL(error->size, size);
    const std::size_t filled = std::min(size, sizeof(comet_error));
    for (std::size_t n = std::max(filled, sizeof(std::size_t)); n < sizeof room; ++n) BOOST_REQUIRE_EQUAL(room[n], 0x77);
    if (filled > offsetof(comet_error, message))
      BOOST_CHECK(std::memchr(error->message, 0, filled - offsetof(comet_error, message)) != nullptr);
  }
}

BOOST_AUTO_TEST_CASE(a_long_message_ends_with_a_whole_character) {
  comet_linker* linker = nullptr;
  SUPPORT_OK(comet_linker_new(&linker, error));
  for (std::size_t before = 0; before < 4; ++before) {
    std::string name(before, 'x');
    for (int n = 0; n < 200; ++n) name += "\xf0\x9f\x98\x80";
    comet_error error = COMET_ERROR_INIT;
    BOOST_CHECK_EQUAL(comet_linker_add(linker, name.c_str(), "", 0, &error), COMET_ERROR_FORMAT);
    // Of each character that is there all bytes are.
    const std::string message = error.message;
    std::size_t at = 0;
    while (at < message.size()) at += static_cast<unsigned char>(message[at]) >= 0xf0 ? 4 : 1;
    BOOST_CHECK_EQUAL(at, message.size());
    BOOST_CHECK_GT(message.size(), sizeof error.message - 8);
  }
  // Of what is no text, but looks like the middle of a character all along, nothing is left.
  comet_error error = COMET_ERROR_INIT;
  BOOST_CHECK_EQUAL(comet_linker_add(linker, std::string(1000, '\x80').c_str(), "", 0, &error), COMET_ERROR_FORMAT);
  BOOST_CHECK_EQUAL(error.message, std::string());
  comet_linker_free(linker);
}

BOOST_AUTO_TEST_CASE(null_machines_are_refused) {
  comet_machine* const none = nullptr;
  std::uint8_t buffer[16] = {};
  std::uint64_t value = 0;
  std::uint32_t id = 0;
  comet_config config = COMET_CONFIG_INIT;
  comet_region region = COMET_REGION_INIT;
  comet_thread_info info = COMET_THREAD_INFO_INIT;
  SUPPORT_FAILS(COMET_ERROR_ARGUMENT, comet_set_environment(none, 0, nullptr, error));
  comet_activation activation = COMET_ACTIVATION_INIT;
  comet_stop stop = COMET_STOP_INIT;
  comet_snapshot* snapshot = nullptr;
  SUPPORT_FAILS(COMET_ERROR_ARGUMENT, comet_machine_new(nullptr, nullptr, error));
  SUPPORT_FAILS(COMET_ERROR_ARGUMENT, comet_machine_reset(none, error));
  SUPPORT_FAILS(COMET_ERROR_ARGUMENT, comet_machine_config(none, &config, error));
  SUPPORT_FAILS(COMET_ERROR_ARGUMENT, comet_space_new(none, &id, error));
  SUPPORT_FAILS(COMET_ERROR_ARGUMENT, comet_space_free(none, 1, error));
  SUPPORT_FAILS(COMET_ERROR_ARGUMENT, comet_map(none, 0, 0, 1, 1, error));
  SUPPORT_FAILS(COMET_ERROR_ARGUMENT, comet_unmap(none, 0, 0, 1, error));
  SUPPORT_FAILS(COMET_ERROR_ARGUMENT, comet_protect(none, 0, 0, 1, 1, error));
  SUPPORT_FAILS(COMET_ERROR_ARGUMENT, comet_next_region(none, 0, 0, &region, error));
  SUPPORT_FAILS(COMET_ERROR_ARGUMENT, comet_read(none, 0, 0, buffer, 1, error));
  SUPPORT_FAILS(COMET_ERROR_ARGUMENT, comet_write(none, 0, 0, buffer, 1, error));
  SUPPORT_FAILS(COMET_ERROR_ARGUMENT, comet_thread_new(none, 0, 0, &id, error));
  SUPPORT_FAILS(COMET_ERROR_ARGUMENT, comet_thread_free(none, 1, error));
  SUPPORT_FAILS(COMET_ERROR_ARGUMENT, comet_thread_get(none, 0, &info, error));
  SUPPORT_FAILS(COMET_ERROR_ARGUMENT, comet_set_pc(none, 0, 0, error));
  SUPPORT_FAILS(COMET_ERROR_ARGUMENT, comet_thread_restart(none, 0, 0, error));
  SUPPORT_FAILS(COMET_ERROR_ARGUMENT, comet_get_register(none, 0, 0, 1, &value, error));
  SUPPORT_FAILS(COMET_ERROR_ARGUMENT, comet_set_register(none, 0, 0, 1, 1, error));
  SUPPORT_FAILS(COMET_ERROR_ARGUMENT, comet_get_thread_register(none, 0, 0, &value, error));
  SUPPORT_FAILS(COMET_ERROR_ARGUMENT, comet_set_thread_register(none, 0, 0, 1, error));
  SUPPORT_FAILS(COMET_ERROR_ARGUMENT, comet_get_activation(none, 0, 0, &activation, error));
  SUPPORT_FAILS(COMET_ERROR_ARGUMENT, comet_run(none, 0, 1, &stop, error));
  SUPPORT_FAILS(COMET_ERROR_ARGUMENT, comet_breakpoint_set(none, 0, 0, error));
  SUPPORT_FAILS(COMET_ERROR_ARGUMENT, comet_breakpoint_clear(none, 0, 0, error));
  SUPPORT_FAILS(COMET_ERROR_ARGUMENT, comet_watchpoint_set(none, 0, 0, 1, 1, &id, error));
  SUPPORT_FAILS(COMET_ERROR_ARGUMENT, comet_watchpoint_clear(none, 0, error));
  SUPPORT_FAILS(COMET_ERROR_ARGUMENT, comet_snapshot_take(none, &snapshot, error));
  SUPPORT_FAILS(COMET_ERROR_ARGUMENT, comet_snapshot_restore(none, snapshot, error));
  SUPPORT_FAILS(COMET_ERROR_ARGUMENT, comet_state_hash(none, buffer, error));
  SUPPORT_FAILS(COMET_ERROR_ARGUMENT, comet_host_grant(none, "a", nullptr, nullptr, error));
  SUPPORT_FAILS(COMET_ERROR_ARGUMENT, comet_host_revoke(none, "a", error));
  SUPPORT_FAILS(COMET_ERROR_ARGUMENT, comet_host_grant_standard(none, "exit", error));
  SUPPORT_FAILS(COMET_ERROR_ARGUMENT, comet_host_revoke_standard(none, "exit", error));
  SUPPORT_FAILS(COMET_ERROR_ARGUMENT, comet_host_import(none, "a", &id, error));
  SUPPORT_FAILS(COMET_ERROR_ARGUMENT, comet_host_complete(none, 0, 0, error));
  SUPPORT_FAILS(COMET_ERROR_ARGUMENT, comet_host_argument(none, 0, 0, &value, error));
  SUPPORT_FAILS(COMET_ERROR_ARGUMENT, comet_set_stream(none, 0, 0, error));
  SUPPORT_FAILS(COMET_ERROR_ARGUMENT, comet_set_arguments(none, 0, nullptr, error));
  SUPPORT_FAILS(COMET_ERROR_ARGUMENT, comet_close_files(none, error));
  BOOST_CHECK(comet_host_import_name(none, 0) == nullptr);
  BOOST_CHECK_EQUAL(comet_snapshot_bytes(none), 0u);
  comet_interrupt(none);
  comet_set_poll(none, nullptr, nullptr);
  comet_set_deadline(none, 1);
  comet_set_random_seed(none, 1);
}

BOOST_AUTO_TEST_CASE(null_results_are_refused) {
  machine vm(code().add("halt"));
  SUPPORT_FAILS(COMET_ERROR_ARGUMENT, comet_machine_config(vm, nullptr, error));
  SUPPORT_FAILS(COMET_ERROR_ARGUMENT, comet_space_new(vm, nullptr, error));
  SUPPORT_FAILS(COMET_ERROR_ARGUMENT, comet_next_region(vm, 0, 0, nullptr, error));
  SUPPORT_FAILS(COMET_ERROR_ARGUMENT, comet_read(vm, 0, data_address, nullptr, 1, error));
  SUPPORT_FAILS(COMET_ERROR_ARGUMENT, comet_write(vm, 0, data_address, nullptr, 1, error));
  SUPPORT_FAILS(COMET_ERROR_ARGUMENT, comet_thread_new(vm, 0, 0, nullptr, error));
  SUPPORT_FAILS(COMET_ERROR_ARGUMENT, comet_thread_get(vm, 0, nullptr, error));
  SUPPORT_FAILS(COMET_ERROR_ARGUMENT, comet_get_register(vm, 0, 0, 1, nullptr, error));
  SUPPORT_FAILS(COMET_ERROR_ARGUMENT, comet_get_thread_register(vm, 0, 0, nullptr, error));
  SUPPORT_FAILS(COMET_ERROR_ARGUMENT, comet_get_activation(vm, 0, 0, nullptr, error));
  SUPPORT_FAILS(COMET_ERROR_ARGUMENT, comet_snapshot_take(vm, nullptr, error));
  SUPPORT_FAILS(COMET_ERROR_ARGUMENT, comet_snapshot_restore(vm, nullptr, error));
  SUPPORT_FAILS(COMET_ERROR_ARGUMENT, comet_state_hash(vm, nullptr, error));
  SUPPORT_FAILS(COMET_ERROR_ARGUMENT, comet_host_grant(vm, nullptr, nullptr, nullptr, error));
  SUPPORT_FAILS(COMET_ERROR_ARGUMENT, comet_host_revoke(vm, nullptr, error));
  SUPPORT_FAILS(COMET_ERROR_ARGUMENT, comet_host_grant_standard(vm, nullptr, error));
  SUPPORT_FAILS(COMET_ERROR_ARGUMENT, comet_set_arguments(vm, 1, nullptr, error));
  SUPPORT_FAILS(COMET_ERROR_ARGUMENT, comet_isa_instruction(0, nullptr, error));
  comet_decoded decoded = COMET_DECODED_INIT;
  SUPPORT_FAILS(COMET_ERROR_ARGUMENT, comet_decode(nullptr, nullptr, 1, &decoded, error));
  SUPPORT_FAILS(COMET_ERROR_ARGUMENT, comet_decode(nullptr, "", 1, nullptr, error));
}

BOOST_AUTO_TEST_CASE(unknown_ids_are_refused) {
  machine vm(code().add("halt"));
  std::uint64_t value = 0;
  std::uint32_t id = 0;
  std::uint8_t byte = 0;
  comet_stop stop = COMET_STOP_INIT;
  comet_thread_info info = COMET_THREAD_INFO_INIT;
  comet_activation activation = COMET_ACTIVATION_INIT;
  comet_region region = COMET_REGION_INIT;
  for (const std::uint32_t unknown : {1u, 7u, UINT32_MAX - 1}) {
    SUPPORT_FAILS(COMET_ERROR_ARGUMENT, comet_map(vm, unknown, 0, 1, 1, error));
    SUPPORT_FAILS(COMET_ERROR_ARGUMENT, comet_read(vm, unknown, 0, &byte, 1, error));
    SUPPORT_FAILS(COMET_ERROR_ARGUMENT, comet_write(vm, unknown, 0, &byte, 1, error));
    SUPPORT_FAILS(COMET_ERROR_ARGUMENT, comet_next_region(vm, unknown, 0, &region, error));
    SUPPORT_FAILS(COMET_ERROR_ARGUMENT, comet_space_free(vm, unknown, error));
    SUPPORT_FAILS(COMET_ERROR_ARGUMENT, comet_thread_new(vm, unknown, 0, &id, error));
    SUPPORT_FAILS(COMET_ERROR_ARGUMENT, comet_breakpoint_set(vm, unknown, 0, error));
    SUPPORT_FAILS(COMET_ERROR_ARGUMENT, comet_watchpoint_set(vm, unknown, 0, 1, COMET_READ, &id, error));
    SUPPORT_FAILS(COMET_ERROR_ARGUMENT, comet_watchpoint_clear(vm, unknown, error));
    SUPPORT_FAILS(COMET_ERROR_ARGUMENT, comet_thread_free(vm, unknown, error));
    SUPPORT_FAILS(COMET_ERROR_ARGUMENT, comet_thread_get(vm, unknown, &info, error));
    SUPPORT_FAILS(COMET_ERROR_ARGUMENT, comet_set_pc(vm, unknown, 0, error));
    SUPPORT_FAILS(COMET_ERROR_ARGUMENT, comet_get_register(vm, unknown, 0, 1, &value, error));
    SUPPORT_FAILS(COMET_ERROR_ARGUMENT, comet_set_register(vm, unknown, 0, 1, 1, error));
    SUPPORT_FAILS(COMET_ERROR_ARGUMENT, comet_get_activation(vm, unknown, 0, &activation, error));
    SUPPORT_FAILS(COMET_ERROR_ARGUMENT, comet_run(vm, unknown, 1, &stop, error));
    SUPPORT_FAILS(COMET_ERROR_ARGUMENT, comet_host_complete(vm, unknown, 0, error));
  }
}

BOOST_AUTO_TEST_CASE(indices_out_of_range_are_refused) {
  machine vm(code().add("halt"));
  std::uint64_t value = 1;
  std::uint32_t id = 0;
  SUPPORT_FAILS(COMET_ERROR_ARGUMENT,
                comet_get_thread_register(vm, 0, COMET_THREAD_REGISTERS, &value, error));
  SUPPORT_FAILS(COMET_ERROR_ARGUMENT, comet_set_thread_register(vm, 0, UINT32_MAX, 1, error));
  SUPPORT_FAILS(COMET_ERROR_ARGUMENT, comet_get_register(vm, 0, 1, 1, &value, error));
  SUPPORT_FAILS(COMET_ERROR_ARGUMENT, comet_get_register(vm, 0, UINT64_MAX, 1, &value, error));
  SUPPORT_FAILS(COMET_ERROR_ARGUMENT, comet_set_register(vm, 0, 0, 0, 1, error));
  SUPPORT_FAILS(COMET_ERROR_ARGUMENT, comet_set_register(vm, 0, 0, UINT64_MAX, 1, error));
  SUPPORT_FAILS(COMET_ERROR_ARGUMENT, comet_set_register(vm, 0, 0, std::uint64_t{1} << 61, 1, error));
  SUPPORT_FAILS(COMET_ERROR_ARGUMENT, comet_set_stream(vm, 3, 1, error));
  SUPPORT_FAILS(COMET_ERROR_ARGUMENT, comet_set_stream(vm, 0, -3, error));
  SUPPORT_FAILS(COMET_ERROR_ARGUMENT, comet_map(vm, 0, 0, 1, 8, error));
  SUPPORT_FAILS(COMET_ERROR_ARGUMENT, comet_map(vm, 0, 0, 1, -1, error));
  SUPPORT_FAILS(COMET_ERROR_ARGUMENT, comet_watchpoint_set(vm, 0, data_address, 1, 0, &id, error));
  SUPPORT_FAILS(COMET_ERROR_ARGUMENT, comet_watchpoint_set(vm, 0, data_address, 1, 8, &id, error));
  SUPPORT_FAILS(COMET_ERROR_ARGUMENT, comet_watchpoint_set(vm, 0, data_address, 0, COMET_READ, &id, error));
  SUPPORT_FAILS(COMET_ERROR_ARGUMENT, comet_watchpoint_set(vm, 0, UINT64_MAX, 2, COMET_READ, &id, error));
}

BOOST_AUTO_TEST_CASE(reading_registers_beyond_the_stack_gives_zero) {
  machine vm(code().add("halt"));
  for (const std::uint64_t index : {std::uint64_t{1} << 21, std::uint64_t{1} << 61, UINT64_MAX}) {
    std::uint64_t value = 1;
    SUPPORT_OK(comet_get_register(vm, 0, 0, index, &value, error));
    BOOST_CHECK_EQUAL(value, 0u);
  }
}

BOOST_AUTO_TEST_CASE(errors_may_be_ignored) {
  machine vm;
  BOOST_CHECK_EQUAL(comet_map(vm, 9, 0, 1, 1, nullptr), COMET_ERROR_ARGUMENT);
  BOOST_CHECK_EQUAL(comet_read(vm, 0, 0, nullptr, 1, nullptr), COMET_ERROR_ARGUMENT);
}

BOOST_AUTO_TEST_CASE(an_address_error_tells_the_address) {
  machine vm;
  comet_error error = COMET_ERROR_INIT;
  std::uint8_t byte = 0;
  BOOST_CHECK_EQUAL(comet_read(vm, 0, 0x123456, &byte, 1, &error), COMET_ERROR_ADDRESS);
  BOOST_CHECK_EQUAL(error.address, 0x123456u);
  BOOST_CHECK(std::strstr(error.message, "0x123456") != nullptr);
}

BOOST_AUTO_TEST_CASE(impossible_configurations_are_refused) {
  const auto refused = [](auto change) {
    comet_config config = COMET_CONFIG_INIT;
    change(config);
    comet_machine* handle = nullptr;
    comet_error error = COMET_ERROR_INIT;
    const comet_status status = comet_machine_new(&config, &handle, &error);
    BOOST_CHECK_NE(status, COMET_OK);
    BOOST_CHECK(handle == nullptr);
    BOOST_CHECK(error.message[0] != 0);
    comet_machine_free(handle);
  };
  refused([](comet_config& config) { config.window = UINT64_MAX; });
  refused([](comet_config& config) { config.register_limit = UINT64_MAX; });
  refused([](comet_config& config) { config.register_limit = std::uint64_t{1} << 61; });
  refused([](comet_config& config) { config.call_depth_limit = UINT64_MAX; });
  refused([](comet_config& config) { config.call_depth_limit = std::uint64_t{1} << 60; });
  refused([](comet_config& config) { config.size = 0; });
}

BOOST_AUTO_TEST_CASE(the_configuration_can_be_read_back) {
  comet_config config = COMET_CONFIG_INIT;
  config.memory_limit = 1 << 20;
  config.register_limit = 5000;
  config.call_depth_limit = 50;
  const machine vm(&config);
  comet_config found = COMET_CONFIG_INIT;
  SUPPORT_OK(comet_machine_config(vm, &found, error));
  BOOST_CHECK_EQUAL(found.memory_limit, config.memory_limit);
  BOOST_CHECK_EQUAL(found.register_limit, config.register_limit);
  BOOST_CHECK_EQUAL(found.call_depth_limit, config.call_depth_limit);
}

BOOST_AUTO_TEST_CASE(structs_of_older_sizes_are_accepted) {
  machine vm(code().add("halt"));
  comet_stop stop = COMET_STOP_INIT;
  stop.size = offsetof(comet_stop, message);
  stop.message[0] = 'x';
  SUPPORT_OK(comet_run(vm, 0, 1, &stop, error));
  BOOST_CHECK_EQUAL(stop.reason, COMET_HALTED);
  BOOST_CHECK_EQUAL(stop.message[0], 'x');
}

BOOST_AUTO_TEST_CASE(a_stop_without_a_size_is_refused_before_anything_runs) {
  machine vm(code().add("halt"));
  comet_stop stop = COMET_STOP_INIT;
  stop.size = 0;
  SUPPORT_FAILS(COMET_ERROR_ARGUMENT, comet_run(vm, 0, plenty, &stop, error));
  BOOST_CHECK_EQUAL(vm.info().instruction_count, 0u);
}

BOOST_AUTO_TEST_SUITE_END()
