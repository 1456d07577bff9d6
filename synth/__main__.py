from synth.cli.main import main

main()
