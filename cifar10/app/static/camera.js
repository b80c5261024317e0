// Takes a picture with the camera, and hands it over as a file.
export function camera(find, take, say) {
  const video = find("video");

  function close() {
    for (const track of video.srcObject?.getTracks() ?? []) track.stop();
    video.srcObject = null;
    find(".camera").hidden = true;
    find(".open").focus();
  }

  find(".open").hidden = !navigator.mediaDevices;  // browsers give no camera to pages of other machines without TLS
  find(".open").addEventListener("click", async () => {
    try {
      video.srcObject = await navigator.mediaDevices.getUserMedia({video: {facingMode: "environment"}});
      find(".camera").hidden = false;
      await video.play();
      find(".take").focus();
    } catch (error) {
      say(`No camera: ${error.message}`);
    }
  });
  find(".close").addEventListener("click", close);
  find(".take").addEventListener("click", () => {
    const canvas = document.createElement("canvas");
    [canvas.width, canvas.height] = [video.videoWidth, video.videoHeight];
    canvas.getContext("2d").drawImage(video, 0, 0);
    canvas.toBlob((blob) => take(new File([blob], "camera.png")), "image/png");
    close();
  });
}
