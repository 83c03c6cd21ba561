// Configuration of OHIF next to orthanc-share, served by nginx as /ohif/app-config.js.
//
// There is no study list: OHIF opens what a link names. Each data source is one server;
// a link chooses it by name (/ohif/viewer/anonymized?…), the first is the default.
// For an Orthanc elsewhere change the two paths, which are seen by the browser.
(function () {
  const roots = {
    shares: "/shares/dicom-web",
    anonymized: "/anon-shares/dicom-web",
  };

  const dataSource = function (name, friendlyName) {
    const root = window.location.origin + roots[name];
    return {
      namespace: "@ohif/extension-default.dataSourcesModule.dicomweb",
      sourceName: name,
      configuration: {
        friendlyName,
        name,
        qidoRoot: root,
        wadoRoot: root,
        wadoUriRoot: root,
        // Orthanc answers with all main tags anyway.
        qidoSupportsIncludeField: false,
        supportsFuzzyMatching: false,
        supportsWildcard: true,
        // A link reads; it never stores.
        supportsReject: false,
        supportsStow: false,
        imageRendering: "wadors",
        thumbnailRendering: "wadors",
        enableStudyLazyLoad: true,
        omitQuotationForMultipartRequest: true,
        bulkDataURI: { enabled: true },
      },
    };
  };

  window.config = {
    routerBasename: "/ohif",
    extensions: [],
    modes: [],
    // The tour would cover the images at the first visit.
    customizationService: { "ohif.tours": { $set: [] } },
    showStudyList: false,
    maxNumberOfWebWorkers: 3,
    showWarningMessageForCrossOrigin: true,
    showCPUFallbackMessage: true,
    strictZSpacingForVolumeViewport: true,
    investigationalUseDialog: { option: "never" },
    defaultDataSourceName: "shares",
    dataSources: [
      dataSource("shares", "Shared studies"),
      dataSource("anonymized", "De-identified studies"),
    ],
  };
})();
