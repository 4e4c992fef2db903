;; Assembling into a machine that is there already.
;;
;;   (asm-at! machine #x10000 "again: addi r1, r1, 1\n jump again")   => 65542
;;   (asm-at! machine 'again '((addi r1 r1 2)))
;;
;; Labels of the code join the machine's symbols, whose names the code can use; host calls join its import
;; list. Nothing of the machine changes when there is an error.
(module asm/live)
(use scheme-lib/util)
(use scheme-lib/symbols)
(use scheme-lib/machine)
(use vm-ext/gambit/vm)
(use asm/statement)
(use asm/assembly)
(use asm/program)
(use asm/define)
(use asm/isa)
(use asm/tables)
(use asm/image)
(declare (block))

(define (machine-imports machine)
  (let loop ((n 0) (names '()))
    (let ((name (vm-host-import-name (machine-handle machine) n)))
      (if name (loop (+ n 1) (cons name names)) (reverse names)))))

(define-documented (asm-at! machine address code #!key (name "asm") (space 0))
  "Assembles CODE, source text or a list as in (asm '(…)), into the machine's memory at ADDRESS, which must
be mapped, and gives the address behind it."
  (let ((start (machine-address machine address)))
    (assemble-value code name start
                    (lambda (symbol) (machine-symbol machine symbol))
                    (machine-imports machine)
                    (map row->definition (machine-definitions machine))
      (lambda (a source)
        (let ((bytes (assembly-bytes a)))
          (for-each
           (lambda (definition)
             (machine-define! machine (definition-name definition) (definition-opcode definition)
                              (definition-kinds definition) (definition-meaning definition)
                              (definition-body definition)))
           (assembly-definitions a))
          (if (> (u8vector-length bytes) 0)
              (vm-write (machine-handle machine) space start bytes))
          (for-each (lambda (import) (vm-host-import (machine-handle machine) import))
                    (reverse (assembly-imports a)))
          (for-each
           (lambda (entry)
             (machine-symbol-set! machine (symbol-entry-name entry) (symbol-entry-value entry)))
           (assembly-symbol-list a))
          (note-code! machine a start (+ start (u8vector-length bytes)))
          (+ start (u8vector-length bytes)))))))

;; Only text has lines. What macros made the code that stood there before is forgotten.
(define (note-code! machine a start end)
  (let ((symbols (machine-symbol-table machine)))
    (expansions-forget! symbols start end)
    (for-each (lambda (line) (if (> (vector-ref line 2) 0) (apply line-add! symbols (vector->list line))))
              (code-lines a))
    (for-each (lambda (expansion) (apply expansion-add! symbols (vector->list expansion)))
              (code-expansions a))))

(define-documented (machine-define-instruction! machine form)
  "Gives one machine an instruction, FORM as behind define-instruction, or one of the table's another meaning, in which
the table's instructions are what they always are: ((mul (to d) (x s) (y s)) (mul to x y) (addi r60 r60 1))."
  (let* ((name (and (pair? form) (pair? (car form)) (symbol? (caar form)) (symbol->string (caar form))))
         (there (map row->definition (machine-definitions machine)))
         (before (and name (definition-named name there)))
         (of-table (and name (isa-find name)))
         (own (cond (before (definition-opcode before)) (of-table (isa-entry-opcode of-table)) (else #f)))
         (made (call-with-problems-as-errors
                (lambda () (form->definition form (map definition-opcode there) own)))))
    (machine-define! machine (definition-name made) (definition-opcode made) (definition-kinds made)
                     (definition-meaning made) (definition-body made))))

(define-documented (load-source! machine path)
  "Assembles a source and loads it, as machine-load! does with an image."
  (machine-load! machine (program-image (asm-file path))))
