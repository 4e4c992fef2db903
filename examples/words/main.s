; main.s: how often each word stands in the standard input, the most frequent first.
;
; Shows: a program of three sources and an archive, with macros of two of the shipped libraries and of one of its
; own; README.md says how it is made.

(use asm/library/structured)

.equ MOST_LETTERS, 64                   ; of a longer word, the beginning counts

.global _start

.bss
word:   .zero   MOST_LETTERS

.text
($procedure "_start" () (length)
  ($set length ($call "read_word" (address "word")))
  ($while (length > 0)
    ($call "count_word" (address "word") length)
    ($set length ($call "read_word" (address "word"))))
  ($call "report")
  ($call "flush_output")
  ($host "exit" 0))

; read_word (address) -> how many letters were stored there, 0 at the end of the input
($procedure "read_word" (to) (length letter)
  ($set length 0)
  ($set letter ($call "read_letter"))
  ($while (letter = 0)                  ; what stands before the word
    ($set letter ($call "read_letter")))
  ($while (letter > 0)
    ($if (length < 'MOST_LETTERS)
         ($begin (stx8 to length letter)
                 (addi length length 1)))
    ($set letter ($call "read_letter")))
  ($return length))
