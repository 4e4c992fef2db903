(##namespace ("debugger/left-behind#"
  left-behind? load-left-behind! load-core! load-recording! write-core! recording-note allowed-memory
  grant-directories!))
