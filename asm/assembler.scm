;; The assembler, in one library:
;;
;;   (use asm/assembler)
;;   (program-write-image (asm-file "hello.s") "hello.img")
;;   (asm '(add r1 r2 r3))                      => #u8(51 1 2 3)
;;   (asm-at! machine #x10000 "imm r1, 5")      => 65539
;;   (load-source! machine "hello.s")
;;
;; The parts are libraries of their own; this one only brings them together.
(module asm/assembler)
(use asm/diagnostic)
(use asm/program)
(use asm/image)
(use asm/define)
(use asm/disassembly)
(use asm/listing)
(use asm/live)
(use asm/routine)
(use asm/object)
(use asm/object-read)
(use asm/object-write)
(use asm/archive)
(use asm/link)
