;;; queens-test.scm: tests of queens.s, routine by routine, as any program in assembly language can be tested.
;;;
;;; Shows: assembling from Scheme, calling one routine with arguments, registers and memory of one's choice,
;;; looking at results, memory and output afterwards, and what holds for all inputs. Every test begins with the
;;; machine as it was loaded.
;;;
;;;     build/comet-vm test examples/queens-test.scm
;;;     build/comet-vm test --verbose --filter place examples/queens-test.scm     shows each test of place

(use scheme-lib/machine)
(use scheme-lib/test)
(use scheme-lib/test-program)
(use scheme-lib/test-property)
(use scheme-lib/generator)
(use asm/assembler)

(define source
  (path-expand "queens.s" (path-directory (this-source-file))))

(define machine (make-machine))
(load-source! machine source)

;; A set of columns as the program has it: a bit for each.
(define (columns . numbers)
  (fold (lambda (column set) (+ set (expt 2 column))) 0 numbers))

;; A board as the program has it: for each row four bytes, with a bit for the queen's column.
(define (board . queens)
  (apply u8vector-append
         (map (lambda (column) (u8vector (columns column) 0 0 0)) queens)))

(test-group "all_solutions"
  (for-each
   (lambda (size solutions)
     (test-program (string-append "size " (number->string size)) machine 'all_solutions
       call: (list size)
       expect-result: solutions))
   '(1 2 3 4  5 6  7  8)
   '(1 0 0 2 10 4 40 92))
  (test-program "the first board of size 4 is kept" machine 'all_solutions
    call: '(4)
    expect-memory: `((first_board . ,(board 1 3 0 2)))
    expect-count-at-most: 1000))

;; A routine as a procedure of Scheme would do, were it not for t1, which holds the set of all columns.
(define (solutions-from row taken left right)
  (outcome-register
   (run-program machine 'place
     call: (list row taken left right)
     registers: `((t1 . ,(columns 0 1 2 3 4 5 6 7))))
   'r1))

;; The number of solutions that begin with a queen in this column of the first row.
(define (beginning-with column)
  (solutions-from 1 (columns column) (quotient (columns column) 2) (* 2 (columns column))))

;; place (row, columns, left, right), with the set of all columns in t1. What one procedure of the program
;; hands to itself can be looked at as well as what it is asked from outside.
(test-group "place"
  (test-program "a queen in every column is a solution" machine 'place
    call: (list 4 (columns 0 1 2 3) 0 0)
    registers: `((t1 . ,(columns 0 1 2 3)))
    expect-result: 1)
  (test-program "the last queen goes to the column that is left" machine 'place
    call: (list 3 (columns 0 1 3) 0 0)
    registers: `((t1 . ,(columns 0 1 2 3)))
    memory: `((board . ,(board 0 1 3)))
    expect-result: 1
    expect-memory: `((board . ,(board 0 1 3 2))))
  (test-program "unless a diagonal leads there" machine 'place
    call: (list 3 (columns 0 1 3) (columns 2) 0)
    registers: `((t1 . ,(columns 0 1 2 3)))
    expect-result: 0)

  (test-property "a board and its mirror image have as many solutions" ((column (gen-integer 0 7)))
    count: 8
    (= (beginning-with column) (beginning-with (- 7 column))))
  (test-property "places that are attacked never give more solutions"
      ((column (gen-integer 0 7)) (left (gen-integer 0 255)) (right (gen-integer 0 255)))
    count: 20
    (<= (solutions-from 1 (columns column) left right) (solutions-from 1 (columns column) 0 0)))
  (test "the solutions of all beginnings are all solutions"
    92
    (apply + (map beginning-with '(0 1 2 3 4 5 6 7)))))

(test-group "put_first_board"
  (test-program "a letter for each place, a line for each row" machine 'put_first_board
    call: '(3)
    memory: `((first_board . ,(board 1 2 0)))
    expect-memory: '((output_buffer . ". Q .\n. . Q\nQ . .\n"))))

(test-group "the program"
  (machine-arguments-set! machine '("queens" "4"))
  (test-program "prints the number and the first board" machine #f
    expect-output: "queens: 4, solutions: 2\n. Q . .\n. . . Q\nQ . . .\n. . Q .\n"
    expect-status: 0)
  (machine-arguments-set! machine '("queens" "3"))
  (test-program "prints no board where there is none" machine #f
    expect-output: "queens: 3, solutions: 0\n"
    expect-status: 0)
  (machine-arguments-set! machine '("queens" "17"))
  (test-program "refuses a board that is too large" machine #f
    expect-output: ""
    expect-errors: "queens: the board's size should be from 1 to 16\n"
    expect-status: 2))
