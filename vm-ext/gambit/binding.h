/* binding.h: the C side of the Gambit binding, included by vm.scm and compiled with it as C.
 *
 * A Scheme procedure for a function of comet.h is a call, a status, and results. The results of the last
 * call wait in one static struct, where vm.scm fetches them before anything else can run (it is compiled
 * with interrupts off). Machines and snapshots are boxed: the collector may release them in any order,
 * and a machine is freed when neither it nor a snapshot of it is reachable.
 *
 * Every function returns a comet_status unless it cannot fail.
 */
#ifndef COMET_GAMBIT_BINDING_H
#define COMET_GAMBIT_BINDING_H

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "comet.h"

/* Where the bytes of a state go: a file, or memory when path is NULL. */
typedef struct comet_output {
  char* path;
  int descriptor;
  int error; /* errno of what went wrong */
  uint8_t* bytes;
  size_t length, room;
} comet_output;

typedef struct comet_box {
  comet_machine* machine;
  comet_output* recording; /* NULL: none is being written */
  size_t references; /* the Scheme object's own, and one for each snapshot */
  unsigned resets;   /* snapshots from before the last reset are void */
  int ticked;        /* the poll function stopped the last run */
  int interrupted;   /* comet_interrupt was called: no mere tick */
} comet_box;

typedef struct comet_snapshot_box {
  comet_box* box;
  comet_snapshot* snapshot;
  unsigned resets;
} comet_snapshot_box;

enum { COMET_RESULTS = 15 };

static struct {
  uint64_t number[COMET_RESULTS];
  const char* text[4];
  const uint8_t* bytes;
  void* handle;
  comet_error error;
} comet_result;

static comet_error* comet_clear_error(void) {
  comet_result.error.size = sizeof comet_result.error;
  comet_result.error.status = COMET_OK;
  comet_result.error.address = 0;
  comet_result.error.message[0] = '\0';
  return &comet_result.error;
}

static comet_status comet_fail_with(comet_status status, const char* message) {
  comet_clear_error()->status = status;
  strncpy(comet_result.error.message, message, sizeof comet_result.error.message - 1);
  return status;
}

/* Length of the UTF-8 sequence at text, or 0 where the bytes are none. */
static size_t comet_utf8_sequence(const unsigned char* text) {
  size_t length = text[0] < 0x80   ? 1
                  : text[0] < 0xC2 ? 0
                  : text[0] < 0xE0 ? 2
                  : text[0] < 0xF0 ? 3
                  : text[0] < 0xF5 ? 4
                                   : 0;
  for (size_t i = 1; i < length; i++)
    if ((text[i] & 0xC0) != 0x80) return 0;
  if (text[0] == 0xE0 && length && text[1] < 0xA0) return 0;
  if (text[0] == 0xED && length && text[1] > 0x9F) return 0;
  if (text[0] == 0xF0 && length && text[1] < 0x90) return 0;
  if (text[0] == 0xF4 && length && text[1] > 0x8F) return 0;
  return length;
}

/* The text with `?` for each byte that is no UTF-8, which Gambit would refuse; NULL stays NULL. The
 * result is valid until the next call. */
static char* comet_clean_text(const char* text) {
  static char* clean = NULL;
  if (text == NULL) return NULL;
  size_t length = strlen(text);
  char* room = realloc(clean, length + 1);
  if (room == NULL) return NULL;
  clean = room;
  memcpy(clean, text, length + 1);
  for (size_t i = 0; i < length;) {
    size_t sequence = comet_utf8_sequence((const unsigned char*)clean + i);
    if (sequence == 0) clean[i] = '?';
    i += sequence ? sequence : 1;
  }
  return clean;
}

/* ---- machines ------------------------------------------------------------------------------------- */

/* Gambit raises its stack trip when a timer, a signal or another thread wants attention; it is served
 * when Scheme runs again. */
static int comet_gambit_poll(void* data) {
  ___processor_state ps = ___PSTATE;
  if (ps->stack_trip == ps->stack_limit && ps->intr_flag[___INTR_USER] == ___FIX(0)) return 0;
  ((comet_box*)data)->ticked = 1;
  return 1;
}

static comet_output* comet_output_close(comet_output* output) {
  if (output == NULL) return NULL;
  if (output->descriptor >= 0) close(output->descriptor);
  free(output->path);
  free(output->bytes);
  free(output);
  return NULL;
}

static void comet_box_release(comet_box* box) {
  if (--box->references > 0) return;
  comet_machine_free(box->machine);
  comet_output_close(box->recording);
  free(box);
}

static ___SCMOBJ comet_release_machine(void* box) {
  comet_box_release((comet_box*)box);
  return ___FIX(___NO_ERR);
}

static ___SCMOBJ comet_release_snapshot(void* pointer) {
  comet_snapshot_box* snapshot = (comet_snapshot_box*)pointer;
  if (snapshot->resets == snapshot->box->resets)
    comet_snapshot_free(snapshot->box->machine, snapshot->snapshot);
  comet_box_release(snapshot->box);
  free(snapshot);
  return ___FIX(___NO_ERR);
}

static ___SCMOBJ comet_release_state(void* state) {
  comet_state_free((comet_state*)state);
  return ___FIX(___NO_ERR);
}

static ___SCMOBJ comet_release_image(void* image) {
  comet_image_free((comet_image*)image);
  return ___FIX(___NO_ERR);
}

static ___SCMOBJ comet_release_linker(void* linker) {
  comet_linker_free((comet_linker*)linker);
  return ___FIX(___NO_ERR);
}

static ___SCMOBJ comet_release_profile(void* profile) {
  comet_profile_free((comet_profile*)profile);
  return ___FIX(___NO_ERR);
}

static const uint64_t COMET_DEFAULT = UINT64_MAX;

/* Takes the machine. */
static comet_status comet_box_take(comet_machine* machine) {
  comet_box* box = calloc(1, sizeof *box);
  if (box == NULL) {
    comet_machine_free(machine);
    return comet_fail_with(COMET_ERROR_MEMORY, "no memory is left for a machine");
  }
  box->machine = machine;
  box->references = 1;
  comet_set_poll(box->machine, comet_gambit_poll, box);
  comet_result.handle = box;
  return COMET_OK;
}

static comet_status comet_box_new(uint64_t window, uint64_t memory_limit, uint64_t register_limit,
                                  uint64_t call_depth_limit, uint64_t thread_limit) {
  comet_config config = COMET_CONFIG_INIT;
  if (window != COMET_DEFAULT) config.window = window;
  if (memory_limit != COMET_DEFAULT) config.memory_limit = memory_limit;
  if (register_limit != COMET_DEFAULT) config.register_limit = register_limit;
  if (call_depth_limit != COMET_DEFAULT) config.call_depth_limit = call_depth_limit;
  if (thread_limit != COMET_DEFAULT) config.thread_limit = thread_limit;
  comet_machine* machine = NULL;
  comet_status status = comet_machine_new(&config, &machine, comet_clear_error());
  return status == COMET_OK ? comet_box_take(machine) : status;
}

/* state NULL: the machine's own */
static comet_status comet_box_fork(comet_box* box, comet_state* state) {
  comet_machine* machine = NULL;
  comet_status status = comet_machine_fork(box->machine, state, &machine, comet_clear_error());
  return status == COMET_OK ? comet_box_take(machine) : status;
}

static comet_status comet_box_reset(comet_box* box) {
  comet_status status = comet_machine_reset(box->machine, comet_clear_error());
  if (status == COMET_OK) box->resets++;
  return status;
}

static comet_status comet_box_config(comet_box* box) {
  comet_config config = COMET_CONFIG_INIT;
  comet_status status = comet_machine_config(box->machine, &config, comet_clear_error());
  comet_result.number[0] = config.window;
  comet_result.number[1] = config.memory_limit;
  comet_result.number[2] = config.register_limit;
  comet_result.number[3] = config.call_depth_limit;
  comet_result.number[4] = config.thread_limit;
  return status;
}

static comet_status comet_box_statistics(comet_box* box) {
  comet_statistics statistics = COMET_STATISTICS_INIT;
  comet_status status = comet_machine_statistics(box->machine, &statistics, comet_clear_error());
  comet_result.number[0] = statistics.decoded_instructions;
  comet_result.number[1] = statistics.decoded_bytes;
  comet_result.number[2] = statistics.decoded_limit;
  comet_result.number[3] = statistics.decoded_drops;
  comet_result.number[4] = statistics.mapped_bytes;
  comet_result.number[5] = statistics.spaces;
  comet_result.number[6] = statistics.threads;
  comet_result.number[7] = statistics.snapshots;
  comet_result.number[8] = statistics.output_bytes;
  return status;
}

static comet_status comet_box_limits(comet_box* box) {
  comet_limits limits = COMET_LIMITS_INIT;
  comet_status status = comet_get_limits(box->machine, &limits, comet_clear_error());
  comet_result.number[0] = limits.memory;
  comet_result.number[1] = limits.registers;
  comet_result.number[2] = limits.call_depth;
  comet_result.number[3] = limits.output;
  comet_result.number[4] = (uint64_t)limits.stop_for_memory;
  return status;
}

static comet_status comet_box_set_limits(comet_box* box, uint64_t memory, uint64_t registers, uint64_t call_depth,
                                         uint64_t output, int stop_for_memory) {
  const comet_limits limits = {sizeof limits, memory, registers, call_depth, output, stop_for_memory};
  return comet_set_limits(box->machine, &limits, comet_clear_error());
}

/* ---- memory and threads --------------------------------------------------------------------------- */

static comet_status comet_box_space_new(comet_box* box) {
  comet_space space = 0;
  comet_status status = comet_space_new(box->machine, &space, comet_clear_error());
  comet_result.number[0] = space;
  return status;
}

static comet_status comet_box_next_region(comet_box* box, comet_space space, uint64_t from) {
  comet_region region = COMET_REGION_INIT;
  comet_status status = comet_next_region(box->machine, space, from, &region, comet_clear_error());
  comet_result.number[0] = region.address;
  comet_result.number[1] = region.length;
  comet_result.number[2] = (uint64_t)region.protection;
  return status;
}

static comet_status comet_box_thread_new(comet_box* box, comet_space space, uint64_t pc) {
  comet_thread thread = 0;
  comet_status status = comet_thread_new(box->machine, space, pc, &thread, comet_clear_error());
  comet_result.number[0] = thread;
  return status;
}

static comet_status comet_box_next_thread(comet_box* box, comet_thread from) {
  comet_thread thread = 0;
  comet_status status = comet_next_thread(box->machine, from, &thread, comet_clear_error());
  comet_result.number[0] = thread;
  return status;
}

static comet_status comet_box_thread_get(comet_box* box, comet_thread thread) {
  comet_thread_info info = COMET_THREAD_INFO_INIT;
  comet_status status = comet_thread_get(box->machine, thread, &info, comet_clear_error());
  comet_result.number[0] = info.space;
  comet_result.number[1] = info.pc;
  comet_result.number[2] = info.instruction_count;
  comet_result.number[3] = info.activations;
  comet_result.number[4] = info.window;
  comet_result.number[5] = info.registers;
  comet_result.number[6] = info.standing;
  comet_result.number[7] = info.place;
  comet_result.number[8] = info.handlers;
  return status;
}

static comet_status comet_box_schedule_get(comet_box* box) {
  comet_schedule schedule = COMET_SCHEDULE_INIT;
  comet_status status = comet_schedule_get(box->machine, &schedule, comet_clear_error());
  comet_result.number[0] = schedule.slice;
  comet_result.number[1] = schedule.seed;
  comet_result.number[2] = schedule.current;
  comet_result.number[3] = schedule.slice_left;
  comet_result.number[4] = schedule.instruction_count;
  return status;
}

static comet_status comet_box_get_activation(comet_box* box, comet_thread thread, uint64_t level) {
  comet_activation activation = COMET_ACTIVATION_INIT;
  comet_status status = comet_get_activation(box->machine, thread, level, &activation, comet_clear_error());
  comet_result.number[0] = activation.function;
  comet_result.number[1] = activation.pc;
  comet_result.number[2] = activation.window;
  return status;
}

/* ---- running -------------------------------------------------------------------------------------- */

/* observation NULL: comet_run. */
static void comet_take_stop(const comet_stop* stop) {
  comet_result.number[0] = (uint64_t)stop->reason;
  comet_result.number[1] = (uint64_t)stop->trap;
  comet_result.number[2] = stop->pc;
  comet_result.number[3] = stop->address;
  comet_result.number[4] = stop->instruction_count;
  comet_result.number[5] = stop->executed;
  comet_result.number[6] = (uint64_t)stop->exit_status;
  comet_result.number[7] = stop->host_call;
  comet_result.number[8] = stop->watchpoint;
  comet_result.number[9] = (uint64_t)stop->access;
  comet_result.number[10] = 0;
  comet_result.number[12] = stop->thread;
  comet_result.number[13] = (uint64_t)stop->limit;
  comet_result.number[14] = stop->fuel;
  comet_result.text[0] = stop->message;
}

static comet_status comet_box_run(comet_box* box, comet_thread thread, uint64_t fuel, comet_observation* observation) {
  static comet_stop stop;
  memset(&stop, 0, sizeof stop);
  stop.size = sizeof stop;
  box->ticked = 0;
  comet_status status = observation == NULL
                            ? comet_run(box->machine, thread, fuel, &stop, comet_clear_error())
                            : comet_observe(box->machine, thread, fuel, observation, &stop, comet_clear_error());
  int only_a_tick = box->ticked && !box->interrupted;
  if (status == COMET_OK && stop.reason == COMET_INTERRUPTED && !only_a_tick) box->interrupted = 0;
  comet_take_stop(&stop);
  comet_result.number[10] = (uint64_t)only_a_tick;
  return status;
}

enum { COMET_FILTER_WORDS = 3, COMET_EVENT_WORDS = 7 };

/* filters, events and counts are arrays of 64-bit words: those of vm-observe in vm.scm. */
static comet_status comet_box_observe(comet_box* box, comet_thread thread, uint64_t fuel, const uint64_t* filters,
                                      size_t filter_count, uint64_t* events, size_t capacity, uint64_t stop_at,
                                      uint64_t* counts, uint64_t counts_first, size_t counts_length,
                                      comet_profile* profile, uint64_t profile_weight, comet_thread of_thread) {
  comet_observation observation = COMET_OBSERVATION_INIT;
  comet_filter* wanted = calloc(filter_count + 1, sizeof *wanted);
  observation.events = calloc(capacity + 1, sizeof *observation.events);
  if (wanted == NULL || observation.events == NULL) {
    free(wanted);
    free(observation.events);
    return comet_fail_with(COMET_ERROR_MEMORY, "no memory is left for so many events");
  }
  for (size_t i = 0; i < filter_count; i++) {
    wanted[i].events = (unsigned)filters[i * COMET_FILTER_WORDS];
    wanted[i].first = filters[i * COMET_FILTER_WORDS + 1];
    wanted[i].last = filters[i * COMET_FILTER_WORDS + 2];
  }
  observation.filters = wanted;
  observation.filter_count = filter_count;
  observation.capacity = capacity;
  observation.stop_at = stop_at;
  observation.counts = counts;
  observation.counts_first = counts_first;
  observation.counts_length = counts_length;
  observation.profile = profile;
  observation.profile_weight = profile_weight;
  observation.of_thread = of_thread;
  comet_status status = comet_box_run(box, thread, fuel, &observation);
  for (size_t i = 0; i < observation.event_count; i++) {
    const comet_event* event = &observation.events[i];
    uint64_t words[COMET_EVENT_WORDS] = {event->kind,   event->count,  event->pc,   event->place,
                                         event->length, event->before, event->after};
    memcpy(events + i * COMET_EVENT_WORDS, words, sizeof words);
  }
  comet_result.number[11] = observation.event_count;
  free(wanted);
  free(observation.events);
  return status;
}

static comet_status comet_handle_profile_new(void) {
  comet_profile* profile = NULL;
  comet_status status = comet_profile_new(&profile, comet_clear_error());
  comet_result.handle = profile;
  return status;
}

static comet_status comet_handle_profile_get(const comet_profile* profile) {
  comet_profile_info info = COMET_PROFILE_INFO_INIT;
  comet_status status = comet_profile_get(profile, &info, comet_clear_error());
  comet_result.number[0] = info.instructions;
  comet_result.number[1] = info.lost;
  return status;
}

static comet_status comet_handle_profile_read(const comet_profile* profile, uint32_t table, size_t n) {
  comet_profile_row row = COMET_PROFILE_ROW_INIT;
  comet_status status = comet_profile_read(profile, table, n, &row, comet_clear_error());
  comet_result.number[0] = row.of;
  comet_result.number[1] = row.what;
  comet_result.number[2] = row.count;
  return status;
}

static void comet_box_interrupt(comet_box* box) {
  box->interrupted = 1;
  comet_interrupt(box->machine);
}

static comet_status comet_box_watchpoint_set(comet_box* box, comet_space space, uint64_t address,
                                             uint64_t length, int access) {
  uint32_t id = 0;
  comet_status status =
      comet_watchpoint_set(box->machine, space, address, length, access, &id, comet_clear_error());
  comet_result.number[0] = id;
  return status;
}

/* ---- snapshots ------------------------------------------------------------------------------------ */

static comet_status comet_box_snapshot_take(comet_box* box) {
  comet_snapshot_box* snapshot = calloc(1, sizeof *snapshot);
  if (snapshot == NULL) return comet_fail_with(COMET_ERROR_MEMORY, "no memory is left for a snapshot");
  comet_status status = comet_snapshot_take(box->machine, &snapshot->snapshot, comet_clear_error());
  if (status != COMET_OK) {
    free(snapshot);
    return status;
  }
  snapshot->box = box;
  snapshot->resets = box->resets;
  box->references++;
  comet_result.handle = snapshot;
  return COMET_OK;
}

/* A snapshot serves its own machine, until that is reset. */
static comet_status comet_check_snapshot(comet_box* box, comet_snapshot_box* snapshot) {
  if (snapshot->box != box)
    return comet_fail_with(COMET_ERROR_ARGUMENT, "the snapshot was taken of another machine: use it with that one");
  if (snapshot->resets != box->resets)
    return comet_fail_with(COMET_ERROR_ARGUMENT,
                           "the snapshot is void because its machine was reset since: take a new one");
  return COMET_OK;
}

static comet_status comet_box_snapshot_restore(comet_box* box, comet_snapshot_box* snapshot) {
  const comet_status status = comet_check_snapshot(box, snapshot);
  if (status != COMET_OK) return status;
  return comet_snapshot_restore(box->machine, snapshot->snapshot, comet_clear_error());
}

static comet_status comet_box_snapshot_difference(comet_box* box, comet_snapshot_box* snapshot, comet_space space,
                                                  uint64_t from) {
  const comet_status status = comet_check_snapshot(box, snapshot);
  if (status != COMET_OK) return status;
  return comet_snapshot_difference(box->machine, snapshot->snapshot, space, from, &comet_result.number[0],
                                   &comet_result.number[1], comet_clear_error());
}

static comet_status comet_box_snapshot_written(comet_box* box, comet_snapshot_box* snapshot, comet_space space,
                                               uint64_t from) {
  const comet_status status = comet_check_snapshot(box, snapshot);
  if (status != COMET_OK) return status;
  return comet_snapshot_written(box->machine, snapshot->snapshot, space, from, &comet_result.number[0],
                                &comet_result.number[1], comet_clear_error());
}

static comet_status comet_box_timeline_keep(comet_box* box) {
  uint32_t id = 0;
  comet_status status = comet_timeline_keep(box->machine, &id, comet_clear_error());
  comet_result.number[0] = id;
  return status;
}

static comet_status comet_box_timeline_get(comet_box* box, comet_thread thread) {
  comet_timeline_info info = COMET_TIMELINE_INFO_INIT;
  comet_status status = comet_timeline_get(box->machine, thread, &info, comet_clear_error());
  comet_result.number[0] = (uint64_t)info.recording;
  comet_result.number[1] = info.entries;
  comet_result.number[2] = info.bytes;
  comet_result.number[3] = info.changes;
  comet_result.number[4] = info.begin;
  comet_result.number[5] = info.end;
  return status;
}

/* ---- states in files ------------------------------------------------------------------------------ */

static comet_status comet_output_failed(const comet_output* output) {
  char message[COMET_MESSAGE_LENGTH];
  snprintf(message, sizeof message, "%.300s cannot be written: %s", output->path, strerror(output->error));
  return comet_fail_with(COMET_ERROR_SYSTEM, message);
}

/* NULL: a failure, which comet_result.error tells. */
static comet_output* comet_output_open(const char* path) {
  comet_output* output = calloc(1, sizeof *output);
  if (output != NULL && path != NULL) output->path = strdup(path);
  if (output == NULL || (path != NULL && output->path == NULL)) {
    free(output);
    comet_fail_with(COMET_ERROR_MEMORY, "no memory is left for a state");
    return NULL;
  }
  output->descriptor = path == NULL ? -1 : open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
  if (path == NULL || output->descriptor >= 0) return output;
  output->error = errno;
  comet_output_failed(output);
  return comet_output_close(output);
}

static int comet_output_take(void* data, const void* bytes, size_t length) {
  comet_output* output = data;
  if (output->path == NULL) {
    while (output->room - output->length < length) {
      size_t room = output->room < 4096 ? 8192 : 2 * output->room;
      uint8_t* grown = realloc(output->bytes, room);
      if (grown == NULL) return 1;
      output->bytes = grown;
      output->room = room;
    }
    memcpy(output->bytes + output->length, bytes, length);
    output->length += length;
    return 0;
  }
  for (size_t done = 0; done < length;) {
    ssize_t count = write(output->descriptor, (const char*)bytes + done, length - done);
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) {
      output->error = count < 0 ? errno : ENOSPC;
      return 1;
    }
    done += (size_t)count;
  }
  return 0;
}

/* What goes along with a state; set by comet_set_stop, used by the next call. */
static comet_stop comet_given_stop;

static void comet_set_stop(int reason, int trap, uint64_t pc, uint64_t address, uint64_t count, int64_t exit_status,
                           const char* message) {
  comet_stop stop = COMET_STOP_INIT;
  stop.reason = (comet_reason)reason;
  stop.trap = (comet_trap)trap;
  stop.pc = pc;
  stop.address = address;
  stop.instruction_count = count;
  stop.exit_status = exit_status;
  strncpy(stop.message, message, sizeof stop.message - 1);
  comet_given_stop = stop;
}

static comet_save_options comet_options(comet_state* base, comet_image* image, comet_thread thread, int with_stop) {
  comet_save_options options = COMET_SAVE_OPTIONS_INIT;
  options.base = base;
  options.image = image;
  options.thread = thread;
  options.stop = with_stop ? &comet_given_stop : NULL;
  return options;
}

/* Without a path the bytes wait in comet_saved, of length number[0]. */
static comet_output* comet_saved;

static comet_status comet_box_save(comet_box* box, const char* path, comet_state* base, comet_image* image,
                                   comet_thread thread, int with_stop) {
  comet_saved = comet_output_close(comet_saved);
  comet_output* output = comet_output_open(path);
  if (output == NULL) return comet_result.error.status;
  comet_save_options options = comet_options(base, image, thread, with_stop);
  comet_state* kept = NULL;
  comet_status status = comet_state_save(box->machine, &options, comet_output_take, output, &kept, comet_clear_error());
  if (status != COMET_OK && output->error != 0) status = comet_output_failed(output);
  comet_result.handle = kept;
  comet_result.bytes = output->bytes;
  comet_result.number[0] = output->length;
  comet_saved = output;
  if (path != NULL) comet_saved = comet_output_close(output);
  return status;
}

static comet_status comet_box_capture(comet_box* box) {
  comet_state* state = NULL;
  comet_status status = comet_state_capture(box->machine, NULL, &state, comet_clear_error());
  comet_result.handle = state;
  return status;
}

static comet_status comet_handle_state_read(const void* bytes, size_t length, comet_state* base) {
  comet_state* state = NULL;
  comet_status status = comet_state_read(bytes, length, base, &state, comet_clear_error());
  comet_result.handle = state;
  return status;
}

/* hash: room for the identity, the base's, the image's and the stopped machine's, 16 bytes each */
static comet_status comet_handle_state_get(comet_state* state, uint8_t hash[64]) {
  comet_state_info info = COMET_STATE_INFO_INIT;
  comet_status status = comet_state_get(state, &info, comet_clear_error());
  memcpy(hash, info.identity, 16);
  memcpy(hash + 16, info.base, 16);
  memcpy(hash + 32, info.image, 16);
  memcpy(hash + 48, info.hash, 16);
  comet_result.number[0] = (uint64_t)info.has_base;
  comet_result.number[1] = (uint64_t)info.has_image;
  comet_result.number[2] = info.pages;
  comet_result.number[3] = info.pages_with_content;
  comet_result.number[4] = (uint64_t)info.has_stop;
  comet_result.number[5] = info.thread;
  comet_result.number[6] = (uint64_t)info.recording;
  comet_result.number[7] = (uint64_t)info.lost;
  comet_result.number[8] = info.entries;
  comet_result.number[9] = info.begin;
  comet_result.number[10] = info.end;
  return status;
}

static comet_status comet_handle_state_config(comet_state* state) {
  comet_state_info info = COMET_STATE_INFO_INIT;
  comet_status status = comet_state_get(state, &info, comet_clear_error());
  comet_result.number[0] = info.config.window;
  comet_result.number[1] = info.config.memory_limit;
  comet_result.number[2] = info.config.register_limit;
  comet_result.number[3] = info.config.call_depth_limit;
  comet_result.number[4] = info.config.thread_limit;
  return status;
}

static comet_status comet_handle_state_stop(comet_state* state) {
  static comet_stop stop;
  memset(&stop, 0, sizeof stop);
  stop.size = sizeof stop;
  comet_status status = comet_state_stop(state, &stop, comet_clear_error());
  comet_take_stop(&stop);
  return status;
}

/* The length of the image's bytes, or 0. */
static size_t comet_handle_state_image(comet_state* state) {
  size_t length = 0;
  comet_image* image = (comet_image*)comet_state_image(state);
  if (image == NULL || comet_image_write(image, &comet_result.bytes, &length, comet_clear_error()) != COMET_OK) return 0;
  return length;
}

static comet_status comet_box_record_start(comet_box* box, const char* path, comet_image* image) {
  comet_output* output = comet_output_open(path);
  if (output == NULL) return comet_result.error.status;
  comet_save_options options = comet_options(NULL, image, 0, 0);
  comet_status status = comet_record_start(box->machine, &options, comet_output_take, output, comet_clear_error());
  if (status != COMET_OK) {
    if (output->error != 0) status = comet_output_failed(output);
    comet_output_close(output);
    return status;
  }
  comet_output_close(box->recording);
  box->recording = output;
  return COMET_OK;
}

static comet_status comet_box_record_stop(comet_box* box, comet_thread thread, int with_stop) {
  comet_save_options options = comet_options(NULL, NULL, thread, with_stop);
  comet_status status = comet_record_stop(box->machine, &options, comet_clear_error());
  if (status != COMET_OK && box->recording != NULL && box->recording->error != 0) status = comet_output_failed(box->recording);
  box->recording = comet_output_close(box->recording);
  return status;
}

/* ---- host calls ----------------------------------------------------------------------------------- */

static comet_status comet_box_host_grant(comet_box* box, const char* name, const char* signature, uint64_t fuel, uint64_t quota) {
  comet_grant_options options = COMET_GRANT_OPTIONS_INIT;
  options.signature = signature;
  options.fuel = fuel;
  options.quota = quota;
  return comet_host_grant_with(box->machine, name, NULL, NULL, &options, comet_clear_error());
}

static comet_status comet_box_host_granted(comet_box* box, const char* name) {
  comet_grant_info info = COMET_GRANT_INFO_INIT;
  comet_status status = comet_host_granted(box->machine, name, &info, comet_clear_error());
  comet_result.text[0] = info.signature;
  comet_result.number[0] = info.fuel;
  comet_result.number[1] = info.calls;
  comet_result.number[2] = info.quota;
  return status;
}

static comet_status comet_box_host_import(comet_box* box, const char* name) {
  uint32_t index = 0;
  comet_status status = comet_host_import(box->machine, name, &index, comet_clear_error());
  comet_result.number[0] = index;
  return status;
}

/* packed: count strings, each ended by NUL. */
/* Which: 0 arguments, 1 environment. */
static comet_status comet_box_set_texts(comet_box* box, int which, const char* packed, size_t count) {
  const char** texts = calloc(count + 1, sizeof *texts);
  if (texts == NULL) return comet_fail_with(COMET_ERROR_MEMORY, "no memory is left for the arguments");
  for (size_t i = 0; i < count; i++) {
    texts[i] = packed;
    packed += strlen(packed) + 1;
  }
  comet_status status = (which == 0 ? comet_set_arguments : comet_set_environment)(box->machine, count, texts, comet_clear_error());
  free(texts);
  return status;
}

/* ---- images --------------------------------------------------------------------------------------- */

static comet_status comet_handle_image_read(const void* bytes, size_t length) {
  comet_image* image = NULL;
  comet_status status = comet_image_read(bytes, length, &image, comet_clear_error());
  comet_result.handle = image;
  return status;
}

static comet_status comet_handle_linker_new(void) {
  comet_linker* linker = NULL;
  comet_status status = comet_linker_new(&linker, comet_clear_error());
  comet_result.handle = linker;
  return status;
}

static comet_status comet_handle_link(const comet_linker* linker, const char* entry) {
  comet_image* image = NULL;
  comet_status status = comet_linker_link(linker, entry, &image, comet_clear_error());
  comet_result.handle = image;
  return status;
}

static comet_status comet_handle_image_new(void) {
  comet_image* image = NULL;
  comet_status status = comet_image_new(&image, comet_clear_error());
  comet_result.handle = image;
  return status;
}

static comet_status comet_handle_image_write(comet_image* image) {
  size_t length = 0;
  comet_status status = comet_image_write(image, &comet_result.bytes, &length, comet_clear_error());
  comet_result.number[0] = length;
  return status;
}

static comet_status comet_handle_image_section(comet_image* image, size_t n) {
  comet_section section = COMET_SECTION_INIT;
  comet_status status = comet_image_section(image, n, &section, comet_clear_error());
  comet_result.text[0] = section.name;
  comet_result.number[0] = section.length;
  comet_result.number[1] = section.address;
  comet_result.number[2] = section.memory_length;
  comet_result.number[3] = (uint64_t)section.protection;
  comet_result.bytes = section.bytes;
  return status;
}

static comet_status comet_take_symbol(comet_status status, const comet_symbol* symbol) {
  comet_result.text[0] = symbol->name;
  comet_result.number[0] = symbol->value;
  return status;
}

static comet_status comet_handle_image_symbol(comet_image* image, size_t n) {
  comet_symbol symbol = COMET_SYMBOL_INIT;
  return comet_take_symbol(comet_image_symbol(image, n, &symbol, comet_clear_error()), &symbol);
}

static comet_status comet_handle_image_find_symbol(comet_image* image, const char* name) {
  comet_symbol symbol = COMET_SYMBOL_INIT;
  return comet_take_symbol(comet_image_find_symbol(image, name, &symbol, comet_clear_error()), &symbol);
}

static comet_status comet_handle_image_symbol_at(comet_image* image, uint64_t address) {
  comet_symbol symbol = COMET_SYMBOL_INIT;
  return comet_take_symbol(comet_image_symbol_at(image, address, &symbol, comet_clear_error()), &symbol);
}

static comet_status comet_take_line(comet_status status, const comet_line* line) {
  comet_result.text[0] = line->file;
  comet_result.number[0] = line->address;
  comet_result.number[1] = line->line;
  comet_result.number[2] = line->column;
  return status;
}

static comet_status comet_handle_image_line(comet_image* image, size_t n) {
  comet_line line = COMET_LINE_INIT;
  return comet_take_line(comet_image_line(image, n, &line, comet_clear_error()), &line);
}

static comet_status comet_handle_image_line_at(comet_image* image, uint64_t address) {
  comet_line line = COMET_LINE_INIT;
  return comet_take_line(comet_image_line_at(image, address, &line, comet_clear_error()), &line);
}

static uint64_t comet_little_endian(const uint8_t* bytes, int length) {
  uint64_t value = 0;
  while (length-- > 0) value = value << 8 | bytes[length];
  return value;
}

static comet_status comet_handle_image_add_lines(comet_image* image, const char* file, const uint8_t* bytes,
                                                 size_t count) {
  for (size_t i = 0; i < count; ++i, bytes += 16) {
    comet_status status = comet_image_add_line(
        image, comet_little_endian(bytes, 8), file, (uint32_t)comet_little_endian(bytes + 8, 4),
        (uint32_t)comet_little_endian(bytes + 12, 4), comet_clear_error());
    if (status != COMET_OK) return status;
  }
  return COMET_OK;
}

static comet_status comet_handle_image_expansion(comet_image* image, size_t n) {
  comet_expansion expansion = COMET_EXPANSION_INIT;
  comet_status status = comet_image_expansion(image, n, &expansion, comet_clear_error());
  comet_result.text[0] = expansion.macro;
  comet_result.text[1] = expansion.file;
  comet_result.number[0] = expansion.address;
  comet_result.number[1] = expansion.line;
  comet_result.number[2] = expansion.column;
  return status;
}

static comet_status comet_handle_image_view(comet_image* image, size_t n) {
  comet_view view = COMET_VIEW_INIT;
  comet_status status = comet_image_view(image, n, &view, comet_clear_error());
  comet_result.text[0] = view.name;
  comet_result.text[1] = view.description;
  return status;
}

/* ---- the instruction set -------------------------------------------------------------------------- */

static comet_status comet_take_instruction(size_t n) {
  static comet_instruction instruction;
  memset(&instruction, 0, sizeof instruction);
  instruction.size = sizeof instruction;
  comet_status status = comet_isa_instruction(n, &instruction, comet_clear_error());
  comet_result.text[0] = instruction.name;
  comet_result.text[1] = instruction.operands;
  comet_result.text[2] = instruction.group;
  comet_result.text[3] = instruction.meaning;
  comet_result.number[0] = instruction.opcode;
  return status;
}

/* Whose instructions the next call speaks of; it is chosen just before. */
static const comet_isa* comet_chosen_isa = NULL;

static comet_definition comet_given_definition(const char* name, uint64_t opcode, const char* operands, const char* meaning,
                                               const uint8_t* body, size_t length) {
  comet_definition definition = COMET_DEFINITION_INIT;
  definition.name = name;
  definition.opcode = opcode;
  definition.operands = operands;
  definition.meaning = meaning;
  definition.body = body;
  definition.length = length;
  return definition;
}

static comet_status comet_box_define(comet_box* box, const char* name, uint64_t opcode, const char* operands, const char* meaning,
                                     const uint8_t* body, size_t length) {
  comet_definition definition = comet_given_definition(name, opcode, operands, meaning, body, length);
  return comet_machine_define(box->machine, &definition, comet_clear_error());
}

static comet_status comet_handle_add_instruction(comet_image* image, const char* name, uint64_t opcode, const char* operands,
                                                 const char* meaning, const uint8_t* body, size_t length) {
  comet_definition definition = comet_given_definition(name, opcode, operands, meaning, body, length);
  return comet_image_add_instruction(image, &definition, comet_clear_error());
}

static comet_status comet_take_definition(size_t n) {
  comet_definition definition = COMET_DEFINITION_INIT;
  comet_status status = comet_isa_definition(comet_chosen_isa, n, &definition, comet_clear_error());
  comet_result.text[0] = definition.name;
  comet_result.text[1] = definition.operands;
  comet_result.text[2] = definition.meaning;
  comet_result.text[3] = definition.parts;
  comet_result.number[0] = definition.opcode;
  comet_result.bytes = definition.body;
  comet_result.number[1] = definition.length;
  return status;
}

static comet_status comet_box_treated(comet_box* box, uint64_t opcode) {
  comet_treatment treatment = COMET_ORDINARY;
  comet_status status = comet_treated(box->machine, opcode, &treatment, comet_result.number + 1, comet_clear_error());
  comet_result.number[0] = treatment;
  return status;
}

static comet_status comet_take_decoded(const uint8_t* bytes, size_t start, size_t end) {
  comet_decoded decoded = COMET_DECODED_INIT;
  comet_status status = comet_decode(comet_chosen_isa, bytes + start, end - start, &decoded, comet_clear_error());
  comet_result.text[0] = decoded.name;
  comet_result.text[1] = decoded.operands;
  comet_result.number[0] = decoded.length;
  comet_result.number[1] = decoded.field_count;
  memcpy(comet_result.number + 2, decoded.fields, sizeof decoded.fields);
  return status;
}

static size_t comet_take_disassembly(const uint8_t* bytes, size_t start, size_t end, uint64_t address) {
  static char text[256];
  size_t length = comet_disassemble(comet_chosen_isa, bytes + start, end - start, address, text, sizeof text);
  comet_result.text[0] = text;
  return length;
}

#endif
