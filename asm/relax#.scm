;; asm/relax: jumps that grow because others grew, all of them between two passes.
(##namespace ("asm/relax#" relaxing? note-target! note-branch! note-alignment! relax!))
