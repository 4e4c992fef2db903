/* comet.h: the C API of Comet VM.
 *
 * A machine is registers and pages, and nothing else. It holds address spaces (pages of 64 KiB, each
 * with a protection) and threads (registers, activations, a program counter). A program in it reaches
 * the outside only through host calls, and only those that the machine was given.
 *
 * Conventions
 *   - A function that can fail returns a comet_status, COMET_OK being 0, and fills *error when error is
 *     not NULL. Nothing is changed when it fails, unless its comment says otherwise.
 *   - Handles are opaque. What a _new or _take function gives is released by the _free function of its
 *     kind; _free accepts NULL. Pointers that a function returns live as long as the handle they came from.
 *   - Structs that a caller fills or receives begin with `size`: set it to sizeof the struct before the
 *     call (the COMET_..._INIT macros do). Newer libraries accept older sizes.
 *   - Addresses are guest addresses unless a name says host. Numbers of bytes are called length.
 *   - Functions are never taken away or changed in place: the shared library's symbols have versions (vm-ext/comet.map),
 *     and what comes later gets a version of its own.
 *   - A machine belongs to one host thread at a time. Different machines never meet: there is no global
 *     state. comet_interrupt alone may be called from any thread and from a signal handler.
 *   - No function throws, exits, or writes to a terminal.
 */
#ifndef COMET_H
#define COMET_H

#include <stddef.h>
#include <stdint.h>

#if defined(COMET_BUILD) && defined(__GNUC__)
#define COMET_API __attribute__((visibility("default")))
#else
#define COMET_API
#endif

#ifdef __cplusplus
extern "C" {
#endif

#define COMET_VERSION_MAJOR 0
#define COMET_VERSION_MINOR 1
#define COMET_VERSION_PATCH 0
#define COMET_VERSION_STRING "0.1.0"

/* The version of the library that was linked, as "major.minor.patch". */
COMET_API const char* comet_version(void);

/* XXH3, 64 bits, no seed: what images end with, for files made beside them. NULL is allowed for no bytes. */
COMET_API uint64_t comet_checksum(const void* bytes, size_t length);

/* ------------------------------------------------------------------------------------------------
 * Errors
 */

typedef enum comet_status {
  COMET_OK = 0,
  COMET_ERROR_ARGUMENT = 1,     /* an argument is not valid: NULL, unknown id, index out of range */
  COMET_ERROR_MEMORY = 2,       /* the host has no memory left, or the machine's memory limit is reached */
  COMET_ERROR_ADDRESS = 3,      /* a guest address that is not mapped, or a range that wraps around */
  COMET_ERROR_FORMAT = 4,       /* bytes that are not what they should be: an image, an instruction */
  COMET_ERROR_CAPABILITY = 5,   /* an image needs a host call that this machine was not given */
  COMET_ERROR_STATE = 6,        /* not possible now: completing a host call where none is pending */
  COMET_ERROR_SYSTEM = 7        /* the operating system refused; the message says what and why */
} comet_status;

#define COMET_MESSAGE_LENGTH 480

typedef struct comet_error {
  size_t size;
  comet_status status;
  uint64_t address; /* guest address, or offset into a file, where the message speaks of one; else 0 */
  char message[COMET_MESSAGE_LENGTH]; /* what, where, why, what to do; UTF-8, ends with NUL, no newline */
} comet_error;

#define COMET_ERROR_INIT {sizeof(comet_error), COMET_OK, 0, {0}}

/* The name of a status in words, such as "bad argument". Never NULL. */
COMET_API const char* comet_status_name(comet_status status);

/* ------------------------------------------------------------------------------------------------
 * Machines
 */

typedef struct comet_machine comet_machine;
typedef uint32_t comet_space;  /* an address space of a machine; 0 is there from the start */
typedef uint32_t comet_thread; /* a thread of a machine; 0 is there from the start, in space 0 */

typedef struct comet_config {
  size_t size;
  uint64_t window;          /* bytes of each space, from address 0, on the fast path; rounded up to pages;
                               0: none, which is also what a portable build does */
  uint64_t memory_limit;    /* bytes that may be mapped, all spaces together, and of their tables: a page for each 1024;
                               not what snapshots alone hold */
  uint64_t register_limit;  /* registers that the windows of one thread may reach before a call traps */
  uint64_t call_depth_limit;/* activations of one thread */
  uint64_t thread_limit;    /* threads that there may be when the program makes one; each may take memory of the host
                               for its registers and activations */
} comet_config;

#define COMET_CONFIG_INIT {sizeof(comet_config), UINT64_C(1) << 32, UINT64_C(1) << 30, UINT64_C(1) << 20, UINT64_C(1) << 18, 64}

/* Makes a machine; config may be NULL for the defaults above. */
COMET_API comet_status comet_machine_new(const comet_config* config, comet_machine** machine, comet_error* error);

/* Memory of the embedder's for a machine: functions as malloc and free are, each called with `data`. */
typedef struct comet_allocator {
  size_t size;
  void* (*allocate)(void* data, size_t length); /* aligned as malloc does; NULL: there is none */
  void (*release)(void* data, void* memory, size_t length); /* what allocate gave, and its length then */
  void* data;
  int zeroed; /* 1: what allocate gives is all zero, as calloc's is, and so costs nothing until it is used; 0: it is
                 cleared */
} comet_allocator;

#define COMET_ALLOCATOR_INIT {sizeof(comet_allocator), 0, 0, 0, 0}

/* Makes a machine that takes from an allocator whatever grows with its program: pages and what snapshots keep of them,
 * registers and activations, decoded code; so do its forks and captured states. Names, grants, logs, an entry for each
 * page beyond the window and other small things stay on the heap of C++. What is refused is COMET_ERROR_MEMORY, as ever.
 * allocator may be NULL: the system. It is copied; `data` is used until the last of these machines and states is freed.
 *
 * The functions are called by the thread that calls the library, so machines in several threads call at the same time;
 * they must not use the library. Asked for are single pages of 64 KiB, and at once: the window and a page, of which
 * parts that are not mapped are never touched, so its size should be what the program needs (where it is refused there
 * is none, which is slow); for each thread (register_limit + 65536) * 8 and call_depth_limit * 32 bytes; for each page
 * that code was executed from 256 KiB; and for decoded code 144 KiB, and twice that when it does not suffice, and so on:
 * both up to 256 MiB for each space. Pages of a state that is captured are copied for each fork, not shared. */
COMET_API comet_status comet_machine_new_with(const comet_config* config, const comet_allocator* allocator, comet_machine** machine, comet_error* error);

/* Called by a host function, the poll function or a sink while the machine runs, it ends the run, which fails with
 * COMET_ERROR_STATE, and the machine is gone when the outermost run of it has returned. */
COMET_API void comet_machine_free(comet_machine* machine);

/* Back to the state after comet_machine_new: one empty space, one thread, no symbols, no imports.
 * Granted host calls, streams, arguments and limits stay; snapshots become invalid, breakpoints and
 * watchpoints go. */
COMET_API comet_status comet_machine_reset(comet_machine* machine, comet_error* error);

/* The configuration in force. */
COMET_API comet_status comet_machine_config(const comet_machine* machine, comet_config* config, comet_error* error);

#define COMET_UNLIMITED UINT64_MAX

typedef struct comet_limits {
  size_t size;
  uint64_t memory;     /* as comet_config's memory_limit */
  uint64_t registers;  /* register_limit */
  uint64_t call_depth; /* call_depth_limit */
  uint64_t output;     /* bytes that the host call write may still give to descriptors; COMET_UNLIMITED at first. Who
                          serves a stream (COMET_STREAM_EMBEDDER) counts what goes there, if it is to be limited */
  int stop_for_memory; /* 0: a program that maps beyond `memory` gets an error from the host call map; 1: the run stops */
} comet_limits;

#define COMET_LIMITS_INIT {sizeof(comet_limits), 0, 0, 0, COMET_UNLIMITED, 0}

/* The limits in force, and other ones. A run ends when it reaches one, before the instruction that would pass it was
 * begun: with COMET_LIMIT, or for registers and call depth with their traps. So when the limit is raised and the thread
 * run again, it goes on as if nothing had been. Fuel and deadline are no limits of the machine but of a run.
 * COMET_ERROR_ARGUMENT: a thread or a snapshot uses more registers or activations already; memory may be set below what
 * is mapped, which stays. Not possible while the machine runs. */
COMET_API comet_status comet_get_limits(const comet_machine* machine, comet_limits* limits, comet_error* error);
COMET_API comet_status comet_set_limits(comet_machine* machine, const comet_limits* limits, comet_error* error);

/* Is told in a line of text, without newline, what somebody who looks after machines may want to read: that there is no
 * window and memory is slow, that decoded code was dropped for its size, that a limit stopped a run. It must not use the
 * machine. NULL: nobody is told. A fork has none. */
typedef void (*comet_log)(void* data, const char* line);
COMET_API void comet_set_log(comet_machine* machine, comet_log log, void* data);

typedef struct comet_statistics {
  size_t size;
  uint64_t decoded_instructions; /* that were decoded so far; again after what is decoded was dropped */
  uint64_t decoded_bytes;        /* of the host's memory that what is decoded takes now, or less */
  uint64_t decoded_limit;        /* of a space: what is decoded of it is dropped when it takes more, and what is executed
                                    then is decoded again */
  uint64_t decoded_drops;        /* how often that happened so far, or code was written to */
  uint64_t mapped_bytes;         /* pages that are mapped now, in all spaces, as the limit counts them */
  uint64_t spaces, threads;      /* that there are now */
  uint64_t snapshots;            /* that there are now; see comet_snapshot_bytes */
  uint64_t output_bytes;         /* that the host call write gave to descriptors, in all */
} comet_statistics;

#define COMET_STATISTICS_INIT {sizeof(comet_statistics), 0, 0, 0, 0, 0, 0, 0, 0, 0}

/* What the machine has, and did beside the program. What is decoded is of the spaces that it has now, since they were
 * made. Only what is executed is decoded, block by block. */
COMET_API comet_status comet_machine_statistics(const comet_machine* machine, comet_statistics* statistics, comet_error* error);

/* ------------------------------------------------------------------------------------------------
 * Memory. A range is [address, address + length). Pages are 64 KiB.
 */

#define COMET_PAGE_SIZE 65536

enum { COMET_READ = 1, COMET_WRITE = 2, COMET_EXECUTE = 4 };

/* A new empty address space; no other space sees its pages. */
COMET_API comet_status comet_space_new(comet_machine* machine, comet_space* space, comet_error* error);
/* Frees a space that no thread is in; space 0 stays. */
COMET_API comet_status comet_space_free(comet_machine* machine, comet_space space, comet_error* error);

/* Maps the pages that the range touches, filled with zeros; pages that were mapped keep their content
 * and get the protection (a union of COMET_READ, COMET_WRITE, COMET_EXECUTE; 0 for none). */
COMET_API comet_status comet_map(comet_machine* machine, comet_space space, uint64_t address, uint64_t length, int protection, comet_error* error);
/* Unmaps every page that the range touches; pages that were not mapped are passed over. */
COMET_API comet_status comet_unmap(comet_machine* machine, comet_space space, uint64_t address, uint64_t length, comet_error* error);
/* Changes the protection of pages, which must all be mapped. */
COMET_API comet_status comet_protect(comet_machine* machine, comet_space space, uint64_t address, uint64_t length, int protection, comet_error* error);

/* Lets another space have the same pages: from `at` on, with a protection of its own, it shows the pages of the range,
 * which stay where they are. What is written in one is in the other, and in every one that they are shared with
 * further, until it is unmapped there. That they are the same is part of the state, for snapshots, forks, files and the
 * hash. Watchpoints see the accesses of their own space. Addresses and length are whole pages; nothing may be mapped
 * at `at`; a space can have a page once. Every access to such a page takes the careful path, so programs that work much
 * on what they were given copy it (bcopy). For the timeline a change from outside. */
COMET_API comet_status comet_share(comet_machine* machine, comet_space space, uint64_t address, uint64_t length, comet_space with, uint64_t at, int protection, comet_error* error);
/* Maps memory of the host: the guest sees these bytes without a copy. address and length are whole pages, where nothing
 * may be mapped. The bytes are an input: they have to stay and may not change until the pages go (by comet_unmap,
 * comet_space_free, a reset, a snapshot from before, the machine's end). Nothing writes to them: who does so, by
 * comet_write or where the protection allows it, gets an ordinary page with a copy. Forks and saved states have copies
 * too, and so has a snapshot whose pages were unmapped since. Accesses take the careful path, as for comet_share. For
 * the timeline a change from outside. */
COMET_API comet_status comet_map_host(comet_machine* machine, comet_space space, uint64_t address, const void* bytes, uint64_t length, int protection, comet_error* error);

typedef struct comet_page_info {
  size_t size;
  int protection;
  uint32_t spaces; /* that have this page: 1, or more where it is shared */
  int of_host;     /* it shows memory of the host */
} comet_page_info;

#define COMET_PAGE_INFO_INIT {sizeof(comet_page_info), 0, 0, 0}

/* The page in which an address lies. COMET_ERROR_ADDRESS when it is not mapped. */
COMET_API comet_status comet_page_get(const comet_machine* machine, comet_space space, uint64_t address, comet_page_info* info, comet_error* error);

typedef struct comet_region {
  size_t size;
  uint64_t address;
  uint64_t length; /* 0 when the region goes to the end of the address space and begins at 0 */
  int protection;
} comet_region;

#define COMET_REGION_INIT {sizeof(comet_region), 0, 0, 0}

/* The first run of mapped pages of equal protection that ends behind `from`. COMET_ERROR_ADDRESS when
 * there is none. */
COMET_API comet_status comet_next_region(const comet_machine* machine, comet_space space, uint64_t from, comet_region* region, comet_error* error);

/* Copies between host and guest memory, whatever the protection is. The range must be mapped. Code
 * that was decoded from written bytes is decoded again. What is written while a host call of a thread in
 * this space waits for comet_host_complete counts as that call's access, for watchpoints too. */
COMET_API comet_status comet_read(const comet_machine* machine, comet_space space, uint64_t address, void* buffer, size_t length, comet_error* error);
COMET_API comet_status comet_write(comet_machine* machine, comet_space space, uint64_t address, const void* bytes, size_t length, comet_error* error);

/* ------------------------------------------------------------------------------------------------
 * Threads and registers
 */

#define COMET_THREAD_REGISTERS 16

/* A new thread in a space, with zero registers, about to execute at pc. */
COMET_API comet_status comet_thread_new(comet_machine* machine, comet_space space, uint64_t pc, comet_thread* thread, comet_error* error);
/* Frees a thread; thread 0 stays. */
COMET_API comet_status comet_thread_free(comet_machine* machine, comet_thread thread, comet_error* error);

/* The thread with the lowest number from `from` on; COMET_ERROR_ARGUMENT when there is none. */
COMET_API comet_status comet_next_thread(const comet_machine* machine, comet_thread from, comet_thread* thread, comet_error* error);

typedef struct comet_thread_info {
  size_t size;
  comet_space space;
  uint64_t pc;
  uint64_t instruction_count; /* instructions executed since the thread was made or restarted */
  uint64_t activations;       /* 1 for a thread that has made no call */
  uint64_t window;            /* where the innermost window begins on the register stack */
  uint64_t registers;         /* one more than the highest register of the innermost window that is not 0 */
  uint32_t standing;          /* a comet_standing */
  uint64_t place;             /* the address or thread that it waits for; the result with which it ended */
  uint32_t handlers;          /* of events and traps that are under way: 0, 1 or 2 */
} comet_thread_info;

#define COMET_THREAD_INFO_INIT {sizeof(comet_thread_info), 0, 0, 0, 0, 0, 0, 0, 0, 0}

typedef enum comet_standing {
  COMET_RUNNABLE = 0,
  COMET_WAITS_FOR_ADDRESS = 1, /* until another thread notifies it */
  COMET_WAITS_FOR_THREAD = 2,  /* until that ends */
  COMET_WAITS_FOR_EVENT = 3,
  COMET_ENDED = 4              /* and nobody has joined it yet */
} comet_standing;

COMET_API comet_status comet_thread_get(const comet_machine* machine, comet_thread thread, comet_thread_info* info, comet_error* error);

/* Continues elsewhere: sets the pc. The activations stay. */
COMET_API comet_status comet_set_pc(comet_machine* machine, comet_thread thread, uint64_t pc, comet_error* error);
/* Begins afresh: pc, one activation with its window at 0, all registers, thread registers and the
 * instruction count 0. COMET_ERROR_STATE: the thread runs, or the machine does and its threads took turns. */
COMET_API comet_status comet_thread_restart(comet_machine* machine, comet_thread thread, uint64_t pc, comet_error* error);

/* Register `index` of the activation `level` (0: innermost, 1: its caller, ...). Register 0 reads 0 and
 * cannot be set, nor can a caller's register that is register 0 of an activation further in. Reading beyond the register stack gives 0. */
COMET_API comet_status comet_get_register(const comet_machine* machine, comet_thread thread, uint64_t level, uint64_t index, uint64_t* value, comet_error* error);
COMET_API comet_status comet_set_register(comet_machine* machine, comet_thread thread, uint64_t level, uint64_t index, uint64_t value, comet_error* error);

/* Thread registers, index < COMET_THREAD_REGISTERS. */
COMET_API comet_status comet_get_thread_register(const comet_machine* machine, comet_thread thread, uint32_t index, uint64_t* value, comet_error* error);
COMET_API comet_status comet_set_thread_register(comet_machine* machine, comet_thread thread, uint32_t index, uint64_t value, comet_error* error);

typedef struct comet_activation {
  size_t size;
  uint64_t function; /* the address that was called; for the outermost one, where the thread began */
  uint64_t pc;       /* level 0: the thread's pc; else the address behind the call that is under way */
  uint64_t window;   /* where its window begins on the register stack */
} comet_activation;

#define COMET_ACTIVATION_INIT {sizeof(comet_activation), 0, 0, 0}

COMET_API comet_status comet_get_activation(const comet_machine* machine, comet_thread thread, uint64_t level, comet_activation* activation, comet_error* error);

/* ------------------------------------------------------------------------------------------------
 * Running
 */

typedef enum comet_reason {
  COMET_HALTED = 0,      /* halt, ret from the outermost activation, or the host call exit (exit_status) */
  COMET_OUT_OF_FUEL = 1, /* the instructions that were asked for are done */
  COMET_TRAP = 2,        /* the instruction at pc could not be executed; nothing of it was done */
  COMET_BREAKPOINT = 3,  /* about to execute at a breakpoint */
  COMET_WATCHPOINT = 4,  /* the instruction before pc touched a watched range */
  COMET_HOST_CALL = 5,   /* the hcall at pc waits for the embedder: see comet_host_complete */
  COMET_INTERRUPTED = 6, /* comet_interrupt, the poll function or the deadline */
  COMET_OBSERVED = 7,    /* comet_observe has seen as many events as were wanted */
  COMET_TRACED = 8,      /* about to execute an instruction that is treated as COMET_STOPPING */
  COMET_WAITING = 9,     /* the thread, or every thread, waits for what no thread or event of this run can bring */
  COMET_LIMIT = 10       /* the hcall at pc would pass a limit, see comet_stop.limit; nothing of it was done */
} comet_reason;

typedef enum comet_limit {
  COMET_LIMIT_NONE = 0,
  COMET_LIMIT_MEMORY = 1,     /* comet_limits.memory, where stop_for_memory is set */
  COMET_LIMIT_OUTPUT = 2,     /* comet_limits.output */
  COMET_LIMIT_HOST_CALLS = 3  /* the quota of this host call, comet_host_set_quota */
} comet_limit;

typedef enum comet_trap {
  COMET_TRAP_NONE = 0,
  COMET_TRAP_BRK = 1,             /* the instruction brk */
  COMET_TRAP_ILLEGAL = 2,         /* no such opcode, a field of over 64 bits, a bad thread register */
  COMET_TRAP_READ = 3,            /* address: the first byte that may not be read */
  COMET_TRAP_WRITE = 4,           /* address: the first byte that may not be written */
  COMET_TRAP_EXECUTE = 5,         /* address: the first byte that may not be executed */
  COMET_TRAP_MISALIGNED = 6,      /* address: that of an atomic access */
  COMET_TRAP_DIVIDE = 7,          /* integer division by zero */
  COMET_TRAP_OVERFLOW = 8,        /* integer division overflow, or a conversion out of range */
  COMET_TRAP_INVALID = 9,         /* conversion of a NaN to an integer */
  COMET_TRAP_CALL_DEPTH = 10,     /* more activations than call_depth_limit */
  COMET_TRAP_WINDOW = 11,         /* a window or register beyond register_limit */
  COMET_TRAP_HOST_CALL = 12,      /* no such host call, or it refused its arguments */
  COMET_TRAP_USER = 13            /* the instruction trap; address: its code */
} comet_trap;

typedef struct comet_stop {
  size_t size;
  comet_reason reason;
  comet_trap trap;              /* COMET_TRAP */
  uint64_t pc;                  /* where the thread stands */
  uint64_t address;             /* COMET_TRAP: see comet_trap; COMET_WATCHPOINT: first watched byte touched */
  uint64_t instruction_count;   /* of the thread, in all */
  uint64_t executed;            /* instructions that this run executed */
  int64_t exit_status;          /* COMET_HALTED */
  uint32_t host_call;           /* COMET_HOST_CALL: its index in the import list */
  uint32_t watchpoint;          /* COMET_WATCHPOINT: its id */
  int access;                   /* COMET_WATCHPOINT: COMET_READ or COMET_WRITE; an atomic's is the write if watched */
  char message[160];            /* COMET_TRAP: one line for people */
  comet_limit limit;            /* COMET_LIMIT */
  uint64_t fuel;                /* that this run used: `executed`, and what host calls cost besides */
  comet_thread thread;          /* that stopped */
} comet_stop;

#define COMET_STOP_INIT {sizeof(comet_stop), COMET_HALTED, COMET_TRAP_NONE, 0, 0, 0, 0, 0, 0, 0, 0, {0}, COMET_LIMIT_NONE, 0, 0}

COMET_API const char* comet_reason_name(comet_reason reason); /* such as "out of fuel" */
COMET_API const char* comet_trap_name(comet_trap trap);       /* such as "division by zero" */

/* Runs a thread for at most `fuel` instructions, exactly, and says why it stopped. A host call may cost fuel besides
 * (comet_grant_options): one that there is not enough for is not begun. Breakpoints are
 * looked at before an instruction is executed, but not before the first one, so that running on from a
 * breakpoint works; so are traced instructions. A program that halted halts again when it is run again. When it fails for want of the
 * host's memory, the instructions before that are done, and running again goes on from there. A host call or
 * the poll function may run other threads of the machine, but while a run is under way the machine cannot be
 * reset, go back to a snapshot, load an image or lose the thread: COMET_ERROR_STATE. */
COMET_API comet_status comet_run(comet_machine* machine, comet_thread thread, uint64_t fuel, comet_stop* stop, comet_error* error);

/* In the place of a thread, for comet_run, comet_observe and comet_timeline_get: all threads of the machine, in turns.
 *
 * Each runs for a slice of instructions; then it is the next one's turn, by number, that does not wait. The same
 * machine and inputs give the same turns, however often runs are stopped and begun anew. `fuel` is of all threads
 * together, and so are `executed` and all counts that comet_observe gives. Events reach the program in such runs, and
 * no others, between two instructions: see comet_post_event. Threads of comet_thread_new take part as well. A thread
 * that halts ends the run of all; one that the program made and whose function returns does not.
 * comet_set_host_threads lets them run at the same time instead. */
#define COMET_EVERY_THREAD UINT32_MAX

typedef struct comet_schedule {
  size_t size;
  uint64_t slice;             /* instructions of a slice, at least 1 and at most 2^32 */
  uint64_t seed;              /* 0: all slices are so long; else they are from 1 to twice that, drawn from this seed */
  comet_thread current;       /* whose turn it is: unless it waits, it executes the next instruction */
  uint64_t slice_left;        /* of its slice */
  uint64_t instruction_count; /* of all threads that there are or were */
} comet_schedule;

#define COMET_SCHEDULE_INIT {sizeof(comet_schedule), 0, 0, 0, 0, 0}

COMET_API comet_status comet_schedule_get(const comet_machine* machine, comet_schedule* schedule, comet_error* error);
/* Begins a new slice of the current thread. For the timeline, a change from outside. */
COMET_API comet_status comet_schedule_set(comet_machine* machine, uint64_t slice, uint64_t seed, comet_error* error);

/* Runs of COMET_EVERY_THREAD are parallel from now on: the threads of the program run at the same time, on at most so
 * many host threads: the one that calls comet_run, and others that the machine has as long as it is there, or as many of
 * them as the host gives; a child of fork(2) has none of these. 0, as it is at first, and of a fork: they take turns.
 *
 * A parallel run ends for the same reasons, of one thread, with all others between two of their instructions; fuel is as
 * exact. Which instructions of which threads were executed by then is by chance, as the order of their accesses to memory
 * is: atomics and fences are sequentially consistent, other accesses that are aligned do not tear and are ordered by
 * nothing else. A race in the program is the program's own affair. Host functions, the poll function and sinks are called
 * on the host thread that called comet_run, while no thread executes anything, so they need no locks; and a host call that
 * waits lets all wait. So what gets faster is computing, not calling. The machine can go on from a stop in any way: in
 * turns, captured, forked, in a debugger. While the timeline records, in comet_observe, and in a portable build, threads
 * take turns all the same. COMET_ERROR_STATE: the machine runs. */
COMET_API comet_status comet_set_host_threads(comet_machine* machine, uint32_t most, comet_error* error);

/* Traps (a union of 1 << COMET_TRAP_...) that stop a run before the program's own handler gets them. When the run goes
 * on from there, the handler is called. */
COMET_API void comet_catch_traps(comet_machine* machine, uint32_t traps);

/* What a program can have handlers for, by the host call `on`; see host/README.md. */
enum {
  COMET_ON_TIMER = 1,
  COMET_ON_READABLE = 2, /* id: a stream */
  COMET_ON_WRITABLE = 3,
  COMET_ON_SIGNAL = 4,   /* id: the signal's number */
  COMET_ON_POSTED = 5,   /* id: what the embedder and the program agreed on */
  COMET_ON_TRAP = 6      /* id: a comet_trap */
};

#define COMET_EVENT_QUEUE 256

/* Gives the machine an event of the kind COMET_ON_SIGNAL or COMET_ON_POSTED. It waits in a queue, which is no part of
 * the machine's state, until a run of all threads can call the handler of a thread that has one for it; events without
 * any handler wait too, up to COMET_EVENT_QUEUE of them. COMET_ERROR_STATE: the queue is full. May be called from any
 * thread and from a signal handler. */
COMET_API comet_status comet_post_event(comet_machine* machine, uint64_t kind, uint64_t id, uint64_t value);
/* Whether a thread has a handler for an event of this kind and id. For embedders that do something else where there is
 * none, as with a signal that ends the program. */
COMET_API comet_status comet_event_handled(const comet_machine* machine, uint64_t kind, uint64_t id, int* handled, comet_error* error);

/* What instructions do, for comet_observe. */
enum {
  COMET_EVENT_EXECUTE = 1,         /* place: the instruction's address */
  COMET_EVENT_REGISTER = 2,        /* one was written; place: its index on the register stack, comet_activation.window + n */
  COMET_EVENT_THREAD_REGISTER = 4, /* one was written; place: its number */
  COMET_EVENT_READ = 8,            /* memory was read or written, by the instruction or by the host call that it made; */
  COMET_EVENT_WRITE = 16,          /* place, length: the bytes of it that a filter names */
  COMET_EVENT_CALL = 32,           /* call or tail; place: the function, before: activations now */
  COMET_EVENT_RETURN = 64,         /* place: the function that returned, before: activations that there were */
  COMET_EVENT_HOST_CALL = 128      /* place: its index in the import list */
};

typedef struct comet_filter {
  unsigned events;      /* a union of COMET_EVENT_... */
  uint64_t first, last; /* of the places that are wanted */
} comet_filter;

typedef struct comet_event {
  unsigned kind;
  uint64_t count;  /* of the thread, before the instruction */
  uint64_t pc;     /* of the instruction */
  uint64_t place, length;
  uint64_t before, after; /* the value, of memory up to 8 bytes from place on */
} comet_event;

typedef struct comet_observation {
  size_t size;
  const comet_filter* filters; /* an event is told when any of them names it; of one access, once */
  size_t filter_count;
  comet_event* events;
  size_t capacity;        /* of events: when there is no room, the oldest goes; 0: none are kept */
  uint64_t stop_at;       /* the run stops when it has seen so many events; 0: it does not stop for them */
  uint64_t* counts;       /* counts[pc - counts_first] grows with each instruction executed there */
  uint64_t counts_first, counts_length;
  size_t event_count;     /* result: events that were kept, the oldest first */
  uint64_t seen;          /* result: events in all */
  struct comet_profile* profile; /* what all instructions do is counted there; NULL: nowhere */
  uint64_t profile_weight;       /* how many instructions each stands for: 1, or more for who runs on between looks */
  comet_thread of_thread;        /* events other than reads and writes of memory are told of this one alone, or of all */
} comet_observation;

#define COMET_OBSERVATION_INIT {sizeof(comet_observation), 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, COMET_EVERY_THREAD}

/* Runs as comet_run does and tells what instructions do. With an older snapshot restored and the timeline
 * recording, it tells what they did. The run stops with COMET_OBSERVED behind the instruction with which
 * there are stop_at events, or more. Those beyond 16 of one instruction are only counted. An instruction that traps, is interrupted, or is a host call left to the embedder has none; the
 * latter's are told when it is run again from the timeline. Runs at the speed of the portable loop. */
COMET_API comet_status comet_observe(comet_machine* machine, comet_thread thread, uint64_t fuel, comet_observation* observation, comet_stop* stop, comet_error* error);

/* A profile: counts of what the instructions of a thread did, over any number of observations. To count each one,
 * observe all of a run, or of a past that is run again. To count samples, let comet_run go a long way and observe a
 * little, in turn, with the weight that makes up for it; how far, in instructions, decides what is seen, so the same
 * run gives the same profile. */
typedef struct comet_profile comet_profile;

#define COMET_PROFILE_DEPTH 256      /* activations of a stack, from the outermost on; those farther in count as the last */
#define COMET_PROFILE_CELL 1024      /* bytes of memory whose accesses are counted together */
#define COMET_PROFILE_NONE UINT64_MAX

typedef enum comet_profile_table {
  COMET_PROFILE_STACKS = 0,  /* of: the stack of the caller, or COMET_PROFILE_NONE; what: a function; count: its calls from
                                there. The number of the row is that of the stack. */
  COMET_PROFILE_PLACES = 1,  /* of: a stack; what: an instruction's address; count: how often it was executed */
  COMET_PROFILE_PAIRS = 2,   /* of: an opcode, or COMET_PROFILE_NONE for the first; what: one executed behind it */
  COMET_PROFILE_ACCESSES = 3 /* of: where a cell begins; what: COMET_READ or COMET_WRITE */
} comet_profile_table;

typedef struct comet_profile_row {
  size_t size;
  uint64_t of, what, count;
} comet_profile_row;

#define COMET_PROFILE_ROW_INIT {sizeof(comet_profile_row), 0, 0, 0}

typedef struct comet_profile_info {
  size_t size;
  uint64_t instructions; /* counted, each with its weight */
  uint64_t lost;         /* counts that found no room: of over 65,536 stacks, or a million places or cells */
} comet_profile_info;

#define COMET_PROFILE_INFO_INIT {sizeof(comet_profile_info), 0, 0}

/* An empty profile. It takes memory as rows come, 72 MB at most. */
COMET_API comet_status comet_profile_new(comet_profile** profile, comet_error* error);
/* Called by a callback of a run that counts in it, it takes effect when the run has ended. */
COMET_API void comet_profile_free(comet_profile* profile);
COMET_API comet_status comet_profile_get(const comet_profile* profile, comet_profile_info* info, comet_error* error);
/* Row n of a table, from 0 and by first appearance; COMET_ERROR_ARGUMENT behind the last. */
COMET_API comet_status comet_profile_read(const comet_profile* profile, uint32_t table, size_t n, comet_profile_row* row, comet_error* error);

/* Makes the run that is under way, or else the next one, stop soon with COMET_INTERRUPTED: some milliseconds,
 * or where the instruction under way ends, which for a block of a gigabyte may take some tenths of a second. May be called from any thread and from a signal handler. */
COMET_API void comet_interrupt(comet_machine* machine);

/* A function that a run calls about each millisecond, on its own thread; not 0 means stop. NULL: none. */
typedef int (*comet_poll)(void* data);
COMET_API void comet_set_poll(comet_machine* machine, comet_poll poll, void* data);

/* A run that begins after `nanoseconds` from now, or is under way then, stops with COMET_INTERRUPTED.
 * 0: no deadline. */
COMET_API void comet_set_deadline(comet_machine* machine, uint64_t nanoseconds);

COMET_API comet_status comet_breakpoint_set(comet_machine* machine, comet_space space, uint64_t address, comet_error* error);
/* COMET_ERROR_ADDRESS when there is none. */
COMET_API comet_status comet_breakpoint_clear(comet_machine* machine, comet_space space, uint64_t address, comet_error* error);

/* Stops behind an instruction that reads or writes (access: COMET_READ, COMET_WRITE or both) any byte of
 * the range. Watchpoints cost nothing on pages that have none. */
COMET_API comet_status comet_watchpoint_set(comet_machine* machine, comet_space space, uint64_t address, uint64_t length, int access, uint32_t* id, comet_error* error);
COMET_API comet_status comet_watchpoint_clear(comet_machine* machine, uint32_t id, comet_error* error);

/* ------------------------------------------------------------------------------------------------
 * Snapshots: the whole state of a machine (spaces, threads, import list, own instructions, random generator) at
 * one moment
 */

typedef struct comet_snapshot comet_snapshot;

/* Costs microseconds however much memory is mapped: pages are copied when they are first written
 * afterwards. A snapshot belongs to its machine and is released with it. */
COMET_API comet_status comet_snapshot_take(comet_machine* machine, comet_snapshot** snapshot, comet_error* error);
/* Brings the state back; costs what the pages cost that changed. The snapshot stays valid, and so do all
 * others, older and newer. Breakpoints, watchpoints, streams and grants are not part of the state; those of a
 * space that goes, here or by comet_space_free, go with it. */
COMET_API comet_status comet_snapshot_restore(comet_machine* machine, comet_snapshot* snapshot, comet_error* error);
COMET_API void comet_snapshot_free(comet_machine* machine, comet_snapshot* snapshot);
/* Bytes of memory that this machine's snapshots hold. */
COMET_API uint64_t comet_snapshot_bytes(const comet_machine* machine);
/* The first bytes at or behind `from` whose content in a space is not what it was in the snapshot; a length of 0: there
 * are none. Up to 7 equal bytes in between count as different; of a page that is mapped in only one of the two all
 * do. Costs what the pages cost that were written since. COMET_ERROR_ARGUMENT: the space is not in both. */
COMET_API comet_status comet_snapshot_difference(const comet_machine* machine, const comet_snapshot* snapshot, comet_space space, uint64_t from, uint64_t* address, uint64_t* length, comet_error* error);

/* The first pages from that of `from` on that were written since the snapshot was taken, whatever was written, as a
 * range of bytes; a length of 0: there are none. Going back to a snapshot counts as writing what it changes, and where
 * snapshots were freed since there may be some pages too many. COMET_ERROR_ARGUMENT: the space is not in both. */
COMET_API comet_status comet_snapshot_written(const comet_machine* machine, const comet_snapshot* snapshot, comet_space space, uint64_t from, uint64_t* address, uint64_t* length, comet_error* error);

/* ------------------------------------------------------------------------------------------------
 * The timeline: a log of host calls, so that a run can be repeated
 *
 * Everything that enters a machine from outside enters through a host call. While recording is on, each
 * one that was executed is logged: at which instruction count of its thread, its result, and what it
 * changed (bytes, registers and pages; for a call left to the embedder, what the embedder changes between
 * the stop with COMET_HOST_CALL and comet_host_complete). When an older snapshot is restored and run, host
 * calls are served from the log, without calling out; behind the last entry, execution is live again. So
 * the same instruction count has the same state hash, and no output is made twice.
 *
 * A change by the embedder at any other time begins another future: what the log holds from the thread's
 * counts on is cut off. Such changes are not logged themselves: whoever repeats runs takes a snapshot
 * behind each (`changes` tells) and does not run across it. Threads and spaces that a host call makes are
 * such changes too. Entries are per thread. In runs of COMET_EVERY_THREAD what else comes from outside, which is events
 * and the ends of waiting, is logged as well, by the instruction count of all threads, and comes again at the same
 * counts. The order in which an embedder runs threads one by one is the embedder's to repeat.
 */

/* Begins recording with an empty log. It and the logs that are kept hold at most byte_limit bytes; where that is not
 * enough, the oldest entries go, and a host call from before them traps with COMET_TRAP_HOST_CALL. Restoring a
 * snapshot from before the start repeats nothing. */
COMET_API comet_status comet_timeline_start(comet_machine* machine, uint64_t byte_limit, comet_error* error);
/* Ends recording and drops the log, and those that are kept. */
COMET_API void comet_timeline_stop(comet_machine* machine);

/* Keeps the log as it is now, for when another future has cut it off: a pointer for each entry, which the logs share.
 * Before the machine goes back and is changed, say. A reset or another state ends it as it ends snapshots and the log. */
COMET_API comet_status comet_timeline_keep(comet_machine* machine, uint32_t* id, comet_error* error);
/* Makes a kept log the one that host calls are served from, in the place of the present one; it stays kept as well.
 * The machine must be in a state of the time that the log is of: restore a snapshot first. */
COMET_API comet_status comet_timeline_resume(comet_machine* machine, uint32_t id, comet_error* error);
COMET_API comet_status comet_timeline_drop(comet_machine* machine, uint32_t id, comet_error* error);

typedef struct comet_timeline_info {
  size_t size;
  int recording;
  uint64_t entries; /* host calls in the log, of all threads */
  uint64_t bytes;   /* that the log holds */
  uint64_t changes; /* changes from outside since the start */
  uint64_t begin;   /* of the thread, or of all: the log is whole from this instruction count on */
  uint64_t end;     /* of the thread: the instruction count behind its last entry; 0: there is none */
} comet_timeline_info;

#define COMET_TIMELINE_INFO_INIT {sizeof(comet_timeline_info), 0, 0, 0, 0, 0, 0}

COMET_API comet_status comet_timeline_get(const comet_machine* machine, comet_thread thread, comet_timeline_info* info, comet_error* error);

/* A hash (XXH3, 128 bits, big-endian) of the whole state: mapped pages with protection and content,
 * registers, activations, pcs, instruction counts, import list, own instructions. The same on every host and
 * build. */
COMET_API comet_status comet_state_hash(const comet_machine* machine, uint8_t hash[16], comet_error* error);

/* ------------------------------------------------------------------------------------------------
 * Host calls: the only way out of a machine
 *
 * `hcall base, index` names the entry `index` of the machine's import list, a list of names. A name
 * means something when a host call of that name was granted. Arguments are in R[base+1], R[base+2], ...;
 * the result goes to R[base+1]. Standard calls give a negative number where they fail (see host/README.md).
 */

typedef struct comet_call comet_call; /* a host call under way; valid during the callback only */

/* Serves a host call. COMET_OK: done. COMET_ERROR_STATE: pending, comet_run returns COMET_HOST_CALL.
 * Anything else: the guest traps with COMET_TRAP_HOST_CALL and the message of comet_call_fail. */
typedef comet_status (*comet_host_function)(comet_call* call, void* data);

COMET_API uint64_t comet_call_argument(const comet_call* call, unsigned n); /* n from 0 */
COMET_API void comet_call_result(comet_call* call, uint64_t value);
COMET_API comet_machine* comet_call_machine(const comet_call* call);
COMET_API comet_thread comet_call_thread(const comet_call* call);
COMET_API comet_status comet_call_fail(comet_call* call, const char* message);
/* Guest memory as the guest sees it, protection included. Where a byte may not be touched, nothing is
 * copied and the result is COMET_ERROR_ADDRESS; returning that from the host function makes the guest
 * trap with COMET_TRAP_READ or COMET_TRAP_WRITE at that byte. */
COMET_API comet_status comet_call_read(comet_call* call, uint64_t address, void* buffer, size_t length);
COMET_API comet_status comet_call_write(comet_call* call, uint64_t address, const void* bytes, size_t length);

/* Grants a host call under a name of 1 to 63 letters, digits, `_`, `-`, `.`; again: replaces it. function
 * NULL: every call is left to the embedder (COMET_HOST_CALL). */
COMET_API comet_status comet_host_grant(comet_machine* machine, const char* name, comet_host_function function, void* data, comet_error* error);
COMET_API comet_status comet_host_revoke(comet_machine* machine, const char* name, comet_error* error);

typedef struct comet_grant_options {
  size_t size;
  const char* signature;       /* what the call takes, see below; NULL: anything */
  uint64_t fuel;               /* that a call costs besides the one of its instruction */
  uint64_t quota;              /* calls that may be made; the run stops with COMET_LIMIT before one more */
  void (*release)(void* data); /* is called once, when the last machine that has this grant (the forks have it too)
                                  loses it, on the host thread where that happens; NULL: nothing is */
} comet_grant_options;

#define COMET_GRANT_OPTIONS_INIT {sizeof(comet_grant_options), 0, 0, COMET_UNLIMITED, 0}

/* comet_host_grant with options. A signature is a list of types with blanks between, in the order of the arguments:
 *   u64 i64 f64  any 64 bits      u32 f32  at most 32 bits      i32  32 bits, the others all 0 or copies of the sign
 *   bytes        an address and a length: two arguments, all of which may be read
 *   buffer       the same to be written
 *   string       the address of bytes that may be read, up to a NUL, which is among the first 65536
 * A call whose arguments are not so traps before the function is called: as a load or store would, at the byte that may
 * not be touched, or with COMET_TRAP_HOST_CALL. When granting fails, data is not released. */
COMET_API comet_status comet_host_grant_with(comet_machine* machine, const char* name, comet_host_function function, void* data, const comet_grant_options* options, comet_error* error);
/* From now on so many calls more may be made; COMET_UNLIMITED: any number. */
COMET_API comet_status comet_host_set_quota(comet_machine* machine, const char* name, uint64_t calls, comet_error* error);

typedef struct comet_grant_info {
  size_t size;
  const char* signature; /* "" where there is none; lives as long as the grant */
  uint64_t fuel;
  uint64_t calls;        /* that were made, or left to the embedder; what the timeline's log answered does not count */
  uint64_t quota;        /* that may still be made */
} comet_grant_info;

#define COMET_GRANT_INFO_INIT {sizeof(comet_grant_info), 0, 0, 0, 0}

/* COMET_ERROR_ARGUMENT when the name is not granted. */
COMET_API comet_status comet_host_granted(const comet_machine* machine, const char* name, comet_grant_info* info, comet_error* error);

/* Grants a group of standard calls: "exit", "streams" (read, write, poll), "arguments" (arg_count, arg, env_count,
 * env), "clock" (clock, timer), "random" (random), "memory" (map), "files" (file_..., dir_..., path_...), "threads"
 * (spawn, join, ...), "events" (on, pause). A new machine has all but clock and random; what it can reach by "files" is
 * what comet_grant_directory gives it. */
COMET_API comet_status comet_host_grant_standard(comet_machine* machine, const char* group, comet_error* error);
COMET_API comet_status comet_host_revoke_standard(comet_machine* machine, const char* group, comet_error* error);

/* The entry for a name in the import list, which it joins when it is new. The name need not be granted. */
COMET_API comet_status comet_host_import(comet_machine* machine, const char* name, uint32_t* index, comet_error* error);
/* The name of an entry, or NULL behind the last. */
COMET_API const char* comet_host_import_name(const comet_machine* machine, uint32_t index);

/* Ends the host call that comet_run left to the embedder: result to R[base+1], the thread goes on behind
 * the hcall, which counts as executed. */
COMET_API comet_status comet_host_complete(comet_machine* machine, comet_thread thread, uint64_t result, comet_error* error);
/* Ends it as failed: the next run of the thread traps at the hcall with COMET_TRAP_HOST_CALL and this message; one after
 * that makes the call again. */
COMET_API comet_status comet_host_fail(comet_machine* machine, comet_thread thread, const char* message, comet_error* error);
/* Argument n (from 0) of that host call. */
COMET_API comet_status comet_host_argument(const comet_machine* machine, comet_thread thread, unsigned n, uint64_t* value, comet_error* error);
/* The thread with the lowest number from `from` on whose host call waits, and the call's index in the import list.
 * COMET_ERROR_ARGUMENT when there is none. Any number of threads may wait while others run, and complete in any order;
 * a machine that was restored or forked waits as the saved one did. */
COMET_API comet_status comet_host_waiting(const comet_machine* machine, comet_thread from, comet_thread* thread, uint32_t* index, comet_error* error);
/* Guest memory for the answer, as the guest sees it, protection included: COMET_ERROR_ADDRESS at the first byte that may
 * not be touched. What is written belongs to this thread's call, also where others wait. */
COMET_API comet_status comet_host_read(comet_machine* machine, comet_thread thread, uint64_t address, void* buffer, size_t length, comet_error* error);
COMET_API comet_status comet_host_write(comet_machine* machine, comet_thread thread, uint64_t address, const void* bytes, size_t length, comet_error* error);

/* Streams 0 to 2 are file descriptors of the host, 0, 1 and 2 unless set here; -1: no such stream;
 * -2: every read or write on it is left to the embedder (COMET_HOST_CALL). Descriptors stay the caller's. */
#define COMET_STREAM_NONE (-1)
#define COMET_STREAM_EMBEDDER (-2)
COMET_API comet_status comet_set_stream(comet_machine* machine, unsigned stream, int descriptor, comet_error* error);
/* The program's arguments, copied; by custom the first is the program's name. */
COMET_API comet_status comet_set_arguments(comet_machine* machine, size_t count, const char* const* arguments, comet_error* error);
/* The program's environment, copied: texts NAME=VALUE. Empty unless set; nothing of the host's is in it. */
COMET_API comet_status comet_set_environment(comet_machine* machine, size_t count, const char* const* settings, comet_error* error);
/* Gives the program a directory of the host and what is beneath it: access COMET_READ, or COMET_READ | COMET_WRITE, which
 * also lets it make, rename and remove things there. name is what the program calls it, such as "/data" or "."; each is
 * granted once. The directory is opened here and stays open as long as the machine is there. */
COMET_API comet_status comet_grant_directory(comet_machine* machine, const char* path, const char* name, int access, comet_error* error);
/* Closes what the program has opened: the streams and the granted directories have their numbers, as before its first
 * instruction. For who runs it from its beginning once more. */
COMET_API comet_status comet_close_files(comet_machine* machine, comet_error* error);
/* The seed of `random`: the same seed gives the same numbers. Without it each machine draws its own. A change
 * from outside, for the timeline. */
COMET_API void comet_set_random_seed(comet_machine* machine, uint64_t seed);

/* ------------------------------------------------------------------------------------------------
 * Images: programs in files. The format is described in image/README.md.
 */

typedef struct comet_image comet_image;

/* Reads and checks an image in full. The bytes are copied. */
COMET_API comet_status comet_image_read(const void* bytes, size_t length, comet_image** image, comet_error* error);
/* An empty image to be built. */
COMET_API comet_status comet_image_new(comet_image** image, comet_error* error);
COMET_API void comet_image_free(comet_image* image);

/* A section: `length` bytes at `address`, then zeros up to memory_length (at least length). Pages of
 * sections must not overlap unless their protection is equal. */
COMET_API comet_status comet_image_add_section(comet_image* image, const char* name, uint64_t address, const void* bytes, size_t length, uint64_t memory_length, int protection, comet_error* error);
COMET_API comet_status comet_image_add_symbol(comet_image* image, const char* name, uint64_t value, comet_error* error);
/* The source line of the code from `address` to the next entry; lines and columns count from 1, column 0
 * is unknown. Entries may come in any order. */
COMET_API comet_status comet_image_add_line(comet_image* image, uint64_t address, const char* file, uint32_t line, uint32_t column, comet_error* error);
/* Where in a macro the code from `address` to the next line or expansion was made. By ascending address; of
 * several for one address each is called by the one before it, the first by the source line itself. */
COMET_API comet_status comet_image_add_expansion(comet_image* image, uint64_t address, const char* macro, const char* file, uint32_t line, uint32_t column, comet_error* error);
/* How debuggers show the memory at the symbol `name`: a description, see debugger/README.md. Both are UTF-8 without
 * control characters, at most 65535 bytes long. Each name once, by ascending names (as bytes). */
COMET_API comet_status comet_image_add_view(comet_image* image, const char* name, const char* description, comet_error* error);
/* The next entry of the import list. */
COMET_API comet_status comet_image_add_import(comet_image* image, const char* name, comet_error* error);
COMET_API comet_status comet_image_set_entry(comet_image* image, uint64_t address, comet_error* error);
/* The file's bytes; they live as long as the image and are the same for the same content. */
COMET_API comet_status comet_image_write(comet_image* image, const uint8_t** bytes, size_t* length, comet_error* error);

typedef struct comet_section {
  size_t size;
  const char* name;
  uint64_t address;
  const uint8_t* bytes;
  uint64_t length;
  uint64_t memory_length;
  int protection;
} comet_section;

#define COMET_SECTION_INIT {sizeof(comet_section), 0, 0, 0, 0, 0, 0}

typedef struct comet_symbol {
  size_t size;
  const char* name;
  uint64_t value;
} comet_symbol;

#define COMET_SYMBOL_INIT {sizeof(comet_symbol), 0, 0}

typedef struct comet_line {
  size_t size;
  uint64_t address;
  const char* file;
  uint32_t line;
  uint32_t column;
} comet_line;

#define COMET_LINE_INIT {sizeof(comet_line), 0, 0, 0, 0}

typedef struct comet_expansion {
  size_t size;
  uint64_t address;
  const char* macro;
  const char* file;
  uint32_t line;
  uint32_t column;
} comet_expansion;

#define COMET_EXPANSION_INIT {sizeof(comet_expansion), 0, 0, 0, 0, 0}

typedef struct comet_view {
  size_t size;
  const char* name;
  const char* description;
} comet_view;

#define COMET_VIEW_INIT {sizeof(comet_view), 0, 0}

/* Parts by number, from 0; COMET_ERROR_ARGUMENT behind the last. Symbols are sorted by value, lines and
 * expansions by address. */
COMET_API comet_status comet_image_section(const comet_image* image, size_t n, comet_section* section, comet_error* error);
COMET_API comet_status comet_image_symbol(const comet_image* image, size_t n, comet_symbol* symbol, comet_error* error);
COMET_API comet_status comet_image_line(const comet_image* image, size_t n, comet_line* line, comet_error* error);
COMET_API comet_status comet_image_expansion(const comet_image* image, size_t n, comet_expansion* expansion, comet_error* error);
COMET_API comet_status comet_image_view(const comet_image* image, size_t n, comet_view* view, comet_error* error);
COMET_API const char* comet_image_import(const comet_image* image, size_t n); /* NULL behind the last */
COMET_API uint64_t comet_image_entry(const comet_image* image);
/* The symbol of that name; the last symbol at or before an address in the same section; the line of an
 * address. COMET_ERROR_ADDRESS when there is none. */
COMET_API comet_status comet_image_find_symbol(const comet_image* image, const char* name, comet_symbol* symbol, comet_error* error);
COMET_API comet_status comet_image_symbol_at(const comet_image* image, uint64_t address, comet_symbol* symbol, comet_error* error);
COMET_API comet_status comet_image_line_at(const comet_image* image, uint64_t address, comet_line* line, comet_error* error);
/* The macro that the line of an address calls for what is there (level 0), the one that this calls (1), and so
 * on; COMET_ERROR_ADDRESS when there is none. */
COMET_API comet_status comet_image_expansion_at(const comet_image* image, uint64_t address, size_t level, comet_expansion* expansion, comet_error* error);

/* Where an address is, in words: "0x10013 store_word+0x8, program.s:12:3", as far as the image, which may be NULL,
 * knows. As snprintf would give it: NUL-ended, cut to text_length at a whole character; the result is the length of the
 * whole text. For comet_stop.pc, the addresses of activations, and comet_error.address. */
COMET_API size_t comet_describe_place(const comet_image* image, uint64_t address, char* text, size_t text_length);

/* Maps and fills the sections in a space and restarts thread 0 at the entry if the space is its own. The
 * image's imports become the machine's import list, or, where that is not empty, must agree with it; its
 * instructions join the machine's own.
 * COMET_ERROR_CAPABILITY names the first import that is not granted. After COMET_ERROR_MEMORY, where the host has
 * not even enough to go back, a part may be loaded. Not possible while the machine runs. */
COMET_API comet_status comet_image_load(const comet_image* image, comet_machine* machine, comet_space space, comet_error* error);

/* ------------------------------------------------------------------------------------------------
 * Objects: parts of programs, as `comet-vm asm -c` makes them of sources, and archives of them
 */

typedef struct comet_linker comet_linker;

/* Nothing to link yet. */
COMET_API comet_status comet_linker_new(comet_linker** linker, comet_error* error);
COMET_API void comet_linker_free(comet_linker* linker);

/* Adds the bytes of an object or an archive, which are copied and checked; `name` is what errors call it, such as its
 * path. Objects take part in the order in which they are added; of an archive, members that define what nothing has
 * defined yet. */
COMET_API comet_status comet_linker_add(comet_linker* linker, const char* name, const void* bytes, size_t length, comet_error* error);
/* Makes a program of what was added, an image of the same bytes as `comet-vm link` makes of the same files; more may be
 * added and linked afterwards. entry: the symbol where it begins; NULL: where an object says, or else _start, main, or
 * the beginning of the code. COMET_ERROR_FORMAT: a symbol that is defined nowhere or twice, a number that does not fit,
 * or a damaged object; the message tells the source's place, the object and its section. */
COMET_API comet_status comet_linker_link(const comet_linker* linker, const char* entry, comet_image** image, comet_error* error);

/* ------------------------------------------------------------------------------------------------
 * States in files: checkpoints, core files, a machine moved to another process, recordings
 *
 * A state holds what a machine needs to go on elsewhere as if nothing had been: spaces with their pages, threads
 * with registers, activations and counts, a host call that waits for the embedder, import list, arguments,
 * environment, the random generator. Descriptors, functions of host calls, breakpoints, watchpoints and snapshots stay behind. The
 * format is described in state/README.md; a file may come from anybody.
 */

typedef struct comet_state comet_state;

/* Takes bytes of a file, in order. 0: taken; anything else ends the saving with COMET_ERROR_SYSTEM. It must not
 * use the machine. */
typedef int (*comet_sink)(void* data, const void* bytes, size_t length);

typedef struct comet_save_options {
  size_t size;
  const comet_state* base;  /* pages that are equal there, by hash, are left out; NULL: none are */
  const comet_image* image; /* goes along: symbols and source lines for those who look at the state; may be NULL */
  int image_hash_only;      /* only its hash (XXH3, 128 bits, of comet_image_write's bytes) goes along */
  comet_thread thread;      /* what stopped, and why, goes along unless stop is NULL */
  const comet_stop* stop;
} comet_save_options;

#define COMET_SAVE_OPTIONS_INIT {sizeof(comet_save_options), 0, 0, 0, 0, 0}

/* Saves the state of a machine that does not run; options may be NULL. When `kept` is not NULL, it gets what a
 * later save needs as its base: the hashes of the pages, without the pages. What is saved against a base is read
 * with it: with the state that was read from the base's own file. */
COMET_API comet_status comet_state_save(const comet_machine* machine, const comet_save_options* options, comet_sink sink, void* data, comet_state** kept, comet_error* error);

/* The state of a machine that does not run, with its pages, in memory; options as for comet_state_save, without a
 * base. Machines that are made to go on from it share these pages until they write to them, so that each costs what
 * it changes; where the host has no such sharing, and beyond the window, they are copied. */
COMET_API comet_status comet_state_capture(const comet_machine* machine, const comet_save_options* options, comet_state** state, comet_error* error);

/* Another machine in that state, or in the machine's own when state is NULL, which is captured for it. It has the
 * limits of `machine`, its grants with the same functions and data, its streams and treatments of instructions; no
 * breakpoints, watchpoints, snapshots, deadline or poll function, and no timeline. Capturing once and forking
 * often is what makes many machines cheap. COMET_ERROR_CAPABILITY and COMET_ERROR_MEMORY as for
 * comet_state_restore. */
COMET_API comet_status comet_machine_fork(const comet_machine* machine, const comet_state* state, comet_machine** fork, comet_error* error);

/* Reads and checks a state or a recording in full; the bytes are copied. base: see comet_state_save. A recording
 * may lack its end. COMET_ERROR_STATE: the base is missing, or is another. */
COMET_API comet_status comet_state_read(const void* bytes, size_t length, const comet_state* base, comet_state** state, comet_error* error);

/* Gives up to `room` more bytes of a file, waiting for the first of them; how many, and 0 behind the last. Negative: it
 * cannot. */
typedef int64_t (*comet_source)(void* data, void* bytes, size_t room);

/* The same from a stream, to its end. What begins as no state is refused at once, and so is more than `limit` bytes
 * (COMET_ERROR_MEMORY), so that nobody makes the host take in more; memory is taken as bytes come.
 * COMET_ERROR_SYSTEM: the source could not give them. */
COMET_API comet_status comet_state_read_from(comet_source source, void* data, uint64_t limit, const comet_state* base, comet_state** state, comet_error* error);

COMET_API void comet_state_free(comet_state* state);

typedef struct comet_state_info {
  size_t size;
  uint8_t identity[16];  /* a hash of the state; that of a base, or the beginning of a recording, by which it is known */
  int has_base;          /* the file held only what differs from the state of the identity `base` */
  uint8_t base[16];
  int has_image;         /* 0: no; 1: its hash; 2: the image as well */
  uint8_t image[16];     /* the image's hash */
  comet_config config;   /* of the machine */
  uint64_t pages;        /* mapped, in all spaces */
  uint64_t pages_with_content; /* those of them that are not all zero */
  int has_stop;          /* comet_state_stop tells why the machine stopped */
  comet_thread thread;   /* that stopped; else 0 */
  uint8_t hash[16];      /* comet_state_hash of the machine that stopped */
  int recording;         /* a recording; the state is that at its beginning */
  int lost;              /* it ends where the machine was changed from outside */
  uint64_t entries;      /* host calls in it */
  uint64_t begin;        /* instruction count of all threads in the state */
  uint64_t end;          /* how far they are known to have come; in a state, begin */
} comet_state_info;

#define COMET_STATE_INFO_INIT {sizeof(comet_state_info), {0}, 0, {0}, 0, {0}, {0, 0, 0, 0, 0, 0}, 0, 0, 0, 0, {0}, 0, 0, 0, 0, 0}

COMET_API comet_status comet_state_get(const comet_state* state, comet_state_info* info, comet_error* error);
/* Why the machine stopped; COMET_ERROR_STATE when that is not known. */
COMET_API comet_status comet_state_stop(const comet_state* state, comet_stop* stop, comet_error* error);
/* The image that goes along, which lives as long as the state, or NULL. */
COMET_API const comet_image* comet_state_image(const comet_state* state);
/* The name of an entry of the import list, or NULL behind the last. */
COMET_API const char* comet_state_import(const comet_state* state, uint32_t index);
/* The program's arguments, from 0, or NULL behind the last. */
COMET_API const char* comet_state_argument(const comet_state* state, uint32_t index);
/* The names of the directories that the program was granted, from 0, or NULL behind the last. */
COMET_API const char* comet_state_directory(const comet_state* state, uint32_t index);

/* Makes a machine go on from a state; in a recording, from its beginning. Every import that was granted must be
 * granted (COMET_ERROR_CAPABILITY), and what is in use must be within the machine's limits (COMET_ERROR_MEMORY).
 * Files and directories that were open are opened again, at their places, in what comet_grant_directory gave this machine
 * under the same name; what is not there, or not granted as it was, is not open (host/README.md).
 * Snapshots stay valid; breakpoints and watchpoints go; a timeline's log is dropped. */
COMET_API comet_status comet_state_restore(comet_machine* machine, const comet_state* state, comet_error* error);

/* Begins a recording: the state now, then each host call as the timeline logs it, and now and then how far the
 * program has come, so that what was executed before a crash is in the file. Records are given to the sink one by
 * one, also while the machine runs; an earlier recording of the machine just ends. The timeline has to be
 * recording, if only with a limit of 0 bytes. A change from outside ends the recording, since it could not be
 * repeated; so do the timeline's end and a reset. Entries are per thread, as the timeline's are. */
COMET_API comet_status comet_record_start(comet_machine* machine, const comet_save_options* options, comet_sink sink, void* data, comet_error* error);
/* Ends it, and says how the program stopped unless options, or the stop in them, are NULL. Fails, with the recording
 * ended, when the sink refused a record since the start. */
COMET_API comet_status comet_record_stop(comet_machine* machine, const comet_save_options* options, comet_error* error);
/* Begins a timeline with the log of a recording, of at least as many bytes as that takes. The machine must be where
 * the recording begins, as comet_state_restore makes it. Running it does what was done then, on any host. */
COMET_API comet_status comet_timeline_load(comet_machine* machine, const comet_state* state, uint64_t byte_limit, comet_error* error);

/* ------------------------------------------------------------------------------------------------
 * The instruction set, as data
 */

typedef struct comet_instruction {
  size_t size;
  const char* name;
  uint64_t opcode;
  const char* operands; /* one letter a field, see isa/instructions.def */
  const char* group;
  const char* meaning;
} comet_instruction;

#define COMET_INSTRUCTION_INIT {sizeof(comet_instruction), 0, 0, 0, 0, 0}

/* Instruction number n of the table, from 0 and by opcode; COMET_ERROR_ARGUMENT behind the last. */
COMET_API comet_status comet_isa_instruction(size_t n, comet_instruction* instruction, comet_error* error);

typedef struct comet_decoded {
  size_t size;
  const char* name;     /* NULL for an opcode that is not in the table */
  const char* operands;
  size_t length;        /* bytes */
  unsigned field_count; /* the opcode's included */
  uint64_t fields[4];   /* as encoded */
} comet_decoded;

#define COMET_DECODED_INIT {sizeof(comet_decoded), 0, 0, 0, 0, {0}}

/* Instructions of the user's: templates of the table's, with opcodes from 1024 on. isa/README.md says what
 * they can be; each is executed as one instruction: it counts as one, and traps before anything of it was
 * done. A machine's own ones come from images and from comet_machine_define. */
typedef struct comet_definition {
  size_t size;
  const char* name;     /* letters, digits and _ . - ? !, a letter first; at most 63 */
  uint64_t opcode;
  const char* operands; /* one letter a field, at most three */
  const char* meaning;  /* a line for people: UTF-8 without control characters */
  const uint8_t* body;  /* its parts, as isa/README.md says */
  size_t length;        /* of the body */
  const char* parts;    /* what is read has its parts as text here, "shli a, c, 3; add a, a, b"; else not looked at */
} comet_definition;

#define COMET_DEFINITION_INIT {sizeof(comet_definition), 0, 0, 0, 0, 0, 0, 0}

/* The instructions that a machine or an image has of its own; NULL: none. It lives until these change. */
typedef struct comet_isa comet_isa;

COMET_API const comet_isa* comet_machine_isa(const comet_machine* machine);
COMET_API const comet_isa* comet_image_isa(const comet_image* image);
/* Number n, from 0 and by opcode; COMET_ERROR_ARGUMENT behind the last. */
COMET_API comet_status comet_isa_definition(const comet_isa* isa, size_t n, comet_definition* definition, comet_error* error);

/* Gives the machine an instruction, or another body to the one of the same name, opcode and operands. That may be one of
 * the table's: then this machine does what the body says, in which the table's instructions are what they always are. */
COMET_API comet_status comet_machine_define(comet_machine* machine, const comet_definition* definition, comet_error* error);
/* The same for an image, where opcodes are 1024 and above. */
COMET_API comet_status comet_image_add_instruction(comet_image* image, const comet_definition* definition, comet_error* error);

typedef enum comet_treatment {
  COMET_ORDINARY = 0,
  COMET_COUNTED = 1,  /* comet_treated tells how often it was executed */
  COMET_STOPPING = 2, /* a run stops before it, with COMET_TRACED */
  COMET_FORBIDDEN = 3 /* traps as COMET_TRAP_ILLEGAL */
} comet_treatment;

/* How a machine treats the instruction of an opcode, from now on: all of its threads, until changed, through resets
 * and snapshots. Others run as fast as ever. */
COMET_API comet_status comet_treat(comet_machine* machine, uint64_t opcode, uint32_t treatment, comet_error* error);
/* How an instruction is treated, and how often it was executed since it is. Where it is ordinary, nobody counts. */
COMET_API comet_status comet_treated(const comet_machine* machine, uint64_t opcode, comet_treatment* treatment, uint64_t* executed, comet_error* error);

/* Decodes the instruction at the beginning of `bytes`. COMET_ERROR_FORMAT: truncated, a field of over 64
 * bits, an unknown opcode (then length says how long the opcode is), or operands that a definition does not allow. */
COMET_API comet_status comet_decode(const comet_isa* isa, const void* bytes, size_t length, comet_decoded* decoded, comet_error* error);

/* The text of an instruction that stands at `address`, such as "add r1, r2, r3", as snprintf would give
 * it: NUL-ended, cut to text_length; bytes that are no instruction give ".byte 0x..". The result is the
 * number of bytes disassembled, at least 1 unless length is 0. */
COMET_API size_t comet_disassemble(const comet_isa* isa, const void* bytes, size_t length, uint64_t address, char* text, size_t text_length);

/* ------------------------------------------------------------------------------------------------
 * Writing code: instructions by name, with labels
 *
 * Code is written piece by piece; comet_code_finish knows where all of it lies and gives its bytes, each field as short
 * as it can be. They go into a section (comet_image_add_section) or into a machine's memory (comet_write), where they
 * may take the place of other code, also of a program that has run half-way. Operands are checked against the
 * instruction's kinds when they are written.
 */

typedef struct comet_code comet_code;
typedef uint32_t comet_label; /* of one comet_code, from 0 */

typedef enum comet_operand_kind {
  COMET_OPERAND_REGISTER = 0,
  COMET_OPERAND_THREAD_REGISTER = 1,
  COMET_OPERAND_NUMBER = 2, /* as comet_disassemble writes it; negative ones in two's complement. For p: an address.
                               For f and g: the bits of the f64 or f32 */
  COMET_OPERAND_LABEL = 3   /* its address, where p, u, i or o stands; for pcimm and spcimm how far it is */
} comet_operand_kind;

typedef struct comet_operand {
  uint32_t kind; /* a comet_operand_kind */
  uint64_t value;
} comet_operand;

#define COMET_R(n) {COMET_OPERAND_REGISTER, (uint64_t)(n)}
#define COMET_T(n) {COMET_OPERAND_THREAD_REGISTER, (uint64_t)(n)}
#define COMET_N(n) {COMET_OPERAND_NUMBER, (uint64_t)(n)}
#define COMET_L(n) {COMET_OPERAND_LABEL, (uint64_t)(n)}

/* Begins code that will lie at `address`. isa: instructions besides the table's, which are copied; may be NULL. */
COMET_API comet_status comet_code_new(const comet_isa* isa, uint64_t address, comet_code** code, comet_error* error);
COMET_API void comet_code_free(comet_code* code);

/* A label; it may be used before it is placed, and is placed once. */
COMET_API comet_status comet_code_label(comet_code* code, comet_label* label, comet_error* error);
/* Places a label at what is written next. */
COMET_API comet_status comet_code_place(comet_code* code, comet_label label, comet_error* error);

/* Writes an instruction, by its name or by its opcode. operands may be NULL where there are none. */
COMET_API comet_status comet_code_emit(comet_code* code, const char* name, const comet_operand* operands, size_t count, comet_error* error);
COMET_API comet_status comet_code_emit_opcode(comet_code* code, uint64_t opcode, const comet_operand* operands, size_t count, comet_error* error);
/* Writes bytes as they are. */
COMET_API comet_status comet_code_bytes(comet_code* code, const void* bytes, size_t length, comet_error* error);
/* Writes a label's address in 1 to 8 bytes, little-endian; with a base, how far it lies behind that label, signed, as
 * the tables of jtab want it in 4. */
COMET_API comet_status comet_code_address(comet_code* code, comet_label label, const comet_label* base, size_t length, comet_error* error);
/* Zeros up to a multiple of `alignment`, a power of two of at most COMET_PAGE_SIZE. */
COMET_API comet_status comet_code_align(comet_code* code, uint64_t alignment, comet_error* error);
/* Nops up to an address, so that code fits exactly where other code was; comet_code_finish fails when what is written
 * goes beyond it. */
COMET_API comet_status comet_code_pad(comet_code* code, uint64_t address, comet_error* error);

/* The bytes of all that was written; they live until the code is changed or freed. COMET_ERROR_ARGUMENT: a label was
 * never placed, or something does not fit; the message names the instruction, counted from 0. */
COMET_API comet_status comet_code_finish(comet_code* code, const uint8_t** bytes, size_t* length, comet_error* error);
/* Where a label was placed, once the code is finished and as long as nothing is written to it. */
COMET_API comet_status comet_code_label_address(const comet_code* code, comet_label label, uint64_t* address, comet_error* error);

#ifdef __cplusplus
}
#endif

#endif
