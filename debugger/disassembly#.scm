(##namespace ("debugger/disassembly#" instructions-up-to instructions-before))
